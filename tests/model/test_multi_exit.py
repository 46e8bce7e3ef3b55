"""The model called as any Transformers model: its logits and losses."""

import numpy as np
import pytest
import torch
from transformers import AutoConfig, AutoModel, Trainer, TrainingArguments

from leco.errors import LecoError
from leco.exits.architecture import LINEAR
from leco.model import LecoConfig, MultiExitModel
from leco.model.backbones import backbone_for
from leco.problems import MULTI_LABEL, REGRESSION, SINGLE_LABEL
from tiny import MIXED, bert, multi_exit, texts

LENGTHS = (11, 5, 2)


@pytest.mark.parametrize("outputs", [2, 5])
def test_every_exit_answers_and_the_last_one_is_the_models(outputs):
    model = multi_exit(bert(num_hidden_layers=4), outputs=outputs)
    with torch.no_grad():
        output = model(**texts(*LENGTHS))
        states = model.backbone(**texts(*LENGTHS), output_hidden_states=True).hidden_states[1:]
        mask = texts(*LENGTHS)["attention_mask"].bool()
        expected = torch.stack([leave(state, mask) for leave, state in zip(model.exits, states)])
    assert output.exit_logits.shape == (4, 3, outputs)
    torch.testing.assert_close(output.exit_logits, expected, rtol=0, atol=1e-5)
    assert torch.equal(output.logits, output.exit_logits[-1])
    assert output.loss is None


@pytest.mark.parametrize(
    ("problem_type", "outputs", "labels", "one_loss"),
    [
        (SINGLE_LABEL, 3, torch.tensor([2, 0, 1]), lambda out, y: -out.log_softmax(-1)[range(3), y].mean()),
        (REGRESSION, 1, torch.tensor([0.5, -1.0, 3.0]), lambda out, y: ((out[:, 0] - y) ** 2).mean()),
        (
            MULTI_LABEL,
            3,
            torch.tensor([[1.0, 0, 1], [0, 0, 0], [1, 1, 1]]),
            lambda out, y: -(y * out.sigmoid().log() + (1 - y) * (1 - out.sigmoid()).log()).mean(),
        ),
    ],
)
def test_the_loss_is_the_sum_of_the_exits_losses(problem_type, outputs, labels, one_loss):
    model = multi_exit(bert(), outputs=outputs, problem_type=problem_type)
    output = model(**texts(*LENGTHS), labels=labels)
    torch.testing.assert_close(output.loss, sum(one_loss(exit, labels) for exit in output.exit_logits))
    output.loss.backward()
    without = [name for name, parameter in model.named_parameters() if parameter.grad is None]
    assert without == ["meta.weight", "meta.bias"]  # which have a loss of their own


def test_dropout_acts_in_training_alone():
    model = multi_exit(bert(hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0), exit_dropout=0.5)
    inputs = texts(*LENGTHS)
    assert torch.equal(model(**inputs).logits, model(**inputs).logits)
    model.train()
    assert not torch.equal(model(**inputs).logits, model(**inputs).logits)


def test_bfloat16_autocast_trains():
    model, inputs = multi_exit(bert()), texts(*LENGTHS)
    exact = model(**inputs, labels=torch.tensor([0, 1, 2])).loss
    with torch.autocast("cpu", torch.bfloat16):
        loss = model(**inputs, labels=torch.tensor([0, 1, 2])).loss
    loss.backward()
    assert loss.dtype == torch.float32
    assert loss.item() == pytest.approx(exact.item(), rel=0.1)


def test_a_transformers_trainer_gathers_the_exits_by_rows(tmp_path):
    model = multi_exit(bert())
    rows = [{name: value[0] for name, value in texts(length).items()} for length in (4, 4, 4, 4, 4)]
    arguments = TrainingArguments(str(tmp_path), per_device_eval_batch_size=2, report_to=[], disable_tqdm=True)
    logits, by_row, doubts = Trainer(model, arguments).predict(rows).predictions
    assert by_row.shape == (5, 3, 3)
    assert doubts.shape == (5, 3)
    np.testing.assert_array_equal(logits, by_row[:, -1])


@pytest.mark.parametrize("number", [0, 2, 4])
def test_one_architecture_for_each_layer(number):
    config = LecoConfig(bert().config, exit_architectures=[LINEAR] * number)
    with pytest.raises(LecoError, match=f"has 3 layers, but {number} exit architectures"):
        MultiExitModel(config)


def test_an_unknown_family_is_refused():
    with pytest.raises(LecoError, match="Unknown backbone family 'gpt2'"):
        MultiExitModel(LecoConfig(AutoConfig.for_model("gpt2"), exit_architectures=[LINEAR]))


def test_texts_are_cut_to_what_is_set_or_to_what_the_backbone_has():
    longest = backbone_for(bert().config).max_length(bert().config)
    assert multi_exit(bert()).max_length == longest
    assert multi_exit(bert(), max_tokens=7).max_length == 7
    assert multi_exit(bert(), max_tokens=longest + 1).max_length == longest


def test_the_backbones_weights_are_kept():
    backbone = AutoModel.from_config(bert().config)
    before = {name: value.clone() for name, value in backbone.state_dict().items() if not name.startswith("pooler")}
    config = LecoConfig(backbone.config, exit_architectures=list(MIXED[:3]))
    after = MultiExitModel(config, backbone).backbone.state_dict()
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)
