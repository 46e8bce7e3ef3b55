import { readFileSync } from "node:fs";
import { Tokenizer } from "@huggingface/tokenizers";
import ort from "onnxruntime-node";

const [folder, ...texts] = process.argv.slice(2);
const read = (name) => JSON.parse(readFileSync(`${folder}/${name}`, "utf-8"));
const config = read("tokenizer_config.json");
const tokenizer = new Tokenizer(read("tokenizer.json"), config);
const most = config.model_max_length;
const cut = (values) => (values.length > most ? [...values.slice(0, most - 1), values.at(-1)] : values);
const labels = read("config.json").id2label;
const session = await ort.InferenceSession.create(`${folder}/model.onnx`);

for (const text of texts) {
  const tokens = tokenizer.encode(text);
  const arrays = { input_ids: tokens.ids, attention_mask: tokens.attention_mask, token_type_ids: tokens.token_type_ids };
  const feeds = {};
  for (const name of session.inputNames.filter((name) => name in arrays)) {
    const values = BigInt64Array.from(cut(arrays[name] ?? tokens.ids.map(() => 0)), BigInt);
    feeds[name] = new ort.Tensor("int64", values, [1, values.length]);
  }
  const { probabilities, exit_layer } = await session.run(feeds);
  const scores = Array.from(probabilities.data);
  const label = labels[scores.indexOf(Math.max(...scores))];
  console.log(JSON.stringify({ label, score: Math.max(...scores), exit_layer: Number(exit_layer.data[0]) }));
}
