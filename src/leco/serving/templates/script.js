"use strict";
const SHOWN = 200, PIECE = 256;
const at = (id) => document.getElementById(id);
const percent = (share) => (100 * share).toFixed(1) + " %";
let info = null, saved = [];

function made(tag, text, className) {
  const element = document.createElement(tag);
  if (text !== undefined) element.textContent = text;
  if (className) element.className = className;
  return element;
}

async function asked(path, body) {
  const headers = { "Content-Type": "application/json" };
  if (at("token").value) headers.Authorization = "Bearer " + at("token").value;
  const response = await fetch(path, body === undefined ? { headers } : { method: "POST", headers, body: JSON.stringify(body) });
  const found = await response.json();
  if (response.status === 401) at("token-row").hidden = false;
  if (!response.ok) throw new Error(found.error || "The service answered " + response.status + ".");
  return { found, ms: Number(response.headers.get("x-inference-time")) };
}

function setting(name, one) {
  const label = made("label", name), shown = made("output", String(one.value)), input = made("input");
  input.type = "range";
  input.id = label.htmlFor = "setting-" + name;
  input.min = one.minimum; input.max = one.maximum; input.step = one.step === null ? "any" : one.step; input.value = one.value;
  input.dataset.name = name;
  const marks = made("datalist"), mark = made("option");
  marks.id = "marks-" + name; mark.value = one.value;
  marks.append(mark);
  input.setAttribute("list", marks.id);
  input.addEventListener("input", () => { shown.textContent = String(Number(Number(input.value).toPrecision(4))); noteSettings(); });
  label.append(shown);
  at("settings").append(label, input, marks);
}

function chosen() {
  const inputs = [...document.querySelectorAll("#settings input")];
  if (inputs.every((one) => Number(one.value) === info.settings[one.dataset.name].value)) return null;
  const given = new Map(inputs.map((one) => [one.dataset.name, document.querySelector(`label[for="${one.id}"] output`).textContent]));
  const [kind, rest] = info.criterion.split(/:(.*)/s);
  const parts = (rest || "").split(",").map((part) => part.split("=")).map(([name, value]) => name + "=" + (given.get(name) ?? value));
  return kind + ":" + parts.join(",");
}

function noteSettings() {
  const own = chosen() === null;
  at("settings-note").textContent = own
    ? (info.promise ? "These settings are the certified ones." : "These are the model's settings.")
    : (info.promise ? "Other settings than the certified ones, which are marked: the certificate does not hold." : "Other settings than the model's, which are marked.");
}

function bars(scores) {
  const group = made("div"), best = Math.max(...Object.values(scores));
  for (const [label, score] of Object.entries(scores)) {
    const row = made("div", undefined, score === best ? "bar best" : "bar"), track = made("div", undefined, "track"), fill = made("div", undefined, "fill");
    const share = Math.min(Math.max(score, 0), 1);
    track.append(fill);
    row.append(made("span", label), track, made("span", info.problem_type === "regression" ? score.toPrecision(4) : percent(score), "number"));
    group.append(row);
    requestAnimationFrame(() => requestAnimationFrame(() => { fill.style.width = 100 * share + "%"; }));
  }
  return group;
}

function show({ found, ms }) {
  const [one] = found.answers;
  at("answer").hidden = false;
  const label = Array.isArray(one.label) ? one.label.join(", ") || "no label" : String(one.label);
  const saved = 1 - one.exit_layer / one.num_layers;
  at("verdict").textContent = `“${label}” at layer ${one.exit_layer} of ${one.num_layers}: ${percent(saved)} of the layers saved, ${ms.toFixed(1)} ms by ${found.criterion}.` + (one.truncated ? " The text was too long, and was cut." : "");
  at("layers").replaceChildren(...(one.layers || [{ layer: one.exit_layer, scores: one.scores }]).map(({ layer, scores }) => {
    const row = made("div", undefined, "layer" + (layer === one.exit_layer ? " left" : layer > one.exit_layer ? " unused" : ""));
    row.append(made("strong", "Layer " + layer + (layer === one.exit_layer ? ": left" : "")), bars(scores));
    return row;
  }));
  const others = Object.entries(one.criteria || {});
  at("others-title").hidden = !others.length;
  at("others").parentElement.hidden = !others.length;
  at("others").replaceChildren(...others.map(([name, layer]) => {
    const row = made("tr");
    row.append(made("td", name), made("td", String(layer), "number"));
    return row;
  }));
}

function cells(text, separator) {
  const rows = [[""]];
  let quoted = false, closed = false;
  for (let place = 0; place < text.length; place++) {
    const letter = text[place], row = rows[rows.length - 1];
    if (quoted && letter === '"' && text[place + 1] === '"') { row[row.length - 1] += '"'; place++; }
    else if (letter === '"' && (quoted || (!closed && row[row.length - 1] === ""))) { closed = quoted; quoted = !quoted; }
    else if (!quoted && letter === separator) { row.push(""); closed = false; }
    else if (!quoted && letter === "\n") { rows.push([""]); closed = false; }
    else if (closed && letter !== "\r") broken(rows.length);
    else if (quoted || letter !== "\r") row[row.length - 1] += letter;
  }
  if (quoted) broken(rows.length);
  return rows.filter((row) => row.some((cell) => cell.trim()));
}

function broken(row) {
  throw new Error(`The file has broken quoting in row ${row}. Put the text in double quotes and double those in it.`);
}

function rowsOf(content, separator) {
  if (separator === ",") return cells(content, separator);
  try {
    return cells(content, separator);
  } catch {  // where tabs separate, many files do not quote at all
    return content.split(/\r?\n/).filter((line) => line.trim()).map((line) => line.split(separator));
  }
}

function textsOf(content, name) {
  const separator = name.endsWith(".tsv") ? "\t" : ",", pairs = info.pairs;
  if (!/\.(csv|tsv)$/.test(name)) return content.split(/\r?\n/).filter((line) => line.trim()).map((line) => (pairs ? line.split("\t") : line));
  const [header, ...rows] = rowsOf(content, separator), wanted = info.text_columns || [header[0]];
  const places = wanted.map((column) => header.indexOf(column));
  if (places.includes(-1)) throw new Error("The file has no column '" + wanted[places.indexOf(-1)] + "'.");
  return rows.map((row) => (places.length === 1 ? row[places[0]] || "" : places.map((place) => row[place] || "")));
}

async function answerAll(texts) {
  if (!texts.length) throw new Error("There are no texts.");
  const answers = [], began = performance.now();
  for (let start = 0; start < texts.length; start += PIECE) {
    const criterion = chosen();
    const { found } = await asked("predict", { texts: texts.slice(start, start + PIECE), ...(criterion ? { criterion } : {}) });
    answers.push(...found.answers);
    at("summary").textContent = `${answers.length} of ${texts.length} texts`;
  }
  const seconds = (performance.now() - began) / 1000, layers = answers.reduce((sum, one) => sum + one.exit_layer, 0);
  at("many").hidden = false;
  at("summary").textContent = `${texts.length} texts in ${seconds.toFixed(2)} s: ${percent(1 - layers / (texts.length * info.num_layers))} of the layers saved.`;
  const counts = new Map(info.exit_layers.map((layer) => [layer, 0]));
  answers.forEach((one) => counts.set(one.exit_layer, (counts.get(one.exit_layer) || 0) + 1));
  const most = Math.max(...counts.values());
  at("histogram").replaceChildren(...[...counts].map(([layer, count]) => {
    const row = made("div", undefined, "bar"), track = made("div", undefined, "track"), fill = made("div", undefined, "fill");
    track.append(fill);
    row.append(made("span", "Layer " + layer), track, made("span", String(count), "number"));
    requestAnimationFrame(() => requestAnimationFrame(() => { fill.style.width = (100 * count) / most + "%"; }));
    return row;
  }));
  saved = texts.map((text, place) => ({ text: Array.isArray(text) ? text.join(" | ") : text, ...answers[place] }));
  at("rows").replaceChildren(...saved.slice(0, SHOWN).map((one) => {
    const row = made("tr");
    row.append(made("td", one.text), made("td", String(one.label), "label"), made("td", one.score === null ? "" : one.score.toFixed(3), "number"), made("td", String(one.exit_layer), "number"));
    return row;
  }));
  at("more").textContent = saved.length > SHOWN ? `The first ${SHOWN} are shown; the file has all.` : "";
}

function download() {
  const cell = (value) => {
    const text = value === null ? "" : String(value), safe = /^[=+\-@\t\r]/.test(text) && typeof value === "string" ? "'" + text : text;
    return '"' + safe.replaceAll('"', '""') + '"';
  };
  const lines = [["text", "label", "score", "exit_layer"], ...saved.map((one) => [one.text, one.label, one.score, one.exit_layer])];
  const link = made("a");
  link.href = URL.createObjectURL(new Blob([lines.map((line) => line.map(cell).join(",")).join("\n") + "\n"], { type: "text/csv" }));
  link.download = "answers.csv";
  link.click();
  URL.revokeObjectURL(link.href);
}

async function doing(form, problem, action) {
  const button = form.querySelector("button");
  button.disabled = true;
  at(problem).textContent = "";
  try { await action(); } catch (error) { at(problem).textContent = error.message; } finally { button.disabled = false; }
}

at("ask").addEventListener("submit", (event) => {
  event.preventDefault();
  doing(event.target, "problem", async () => {
    if (info === null) await begin();
    const text = info.pairs ? [[at("text").value, at("second").value]] : [at("text").value], criterion = chosen();
    show(await asked("predict", { texts: text, scores: "all", layers: info.gives_layers, ...(criterion ? { criterion } : {}) }));
  });
});
at("ask-many").addEventListener("submit", (event) => {
  event.preventDefault();
  doing(event.target, "many-problem", async () => {
    if (info === null) await begin();
    const [file] = at("file").files;
    await answerAll(file ? textsOf(await file.text(), file.name.toLowerCase()) : textsOf(at("texts").value, ""));
  });
});
at("download").addEventListener("click", download);
for (const kind of ["dragover", "dragleave", "drop"]) {
  at("ask-many").addEventListener(kind, (event) => {
    event.preventDefault();
    at("ask-many").classList.toggle("dropping", kind === "dragover");
    if (kind === "drop") { at("file").files = event.dataTransfer.files; at("ask-many").requestSubmit(); }
  });
}

async function begin() {
  info = (await asked("info")).found;
  at("model").textContent = info.model;
  at("about").textContent = `${info.num_layers} layers, ${info.runtime} in ${info.precision}; texts leave by ${info.criterion}.`;
  at("certificate").textContent = [info.certificate ? info.certificate.sentence : "Nothing is certified of this model.", info.alarm].filter(Boolean).join(" ");
  at("pair").hidden = !info.pairs;
  at("text-label").textContent = info.pairs ? "First text" : "Text";
  for (const [name, one] of Object.entries(info.settings)) setting(name, one);
  const note = made("p", "", "soft");
  note.id = "settings-note";
  const reset = made("button", "Reset");
  reset.type = "button";
  reset.addEventListener("click", () => {
    for (const [name, one] of Object.entries(info.settings)) {
      at("setting-" + name).value = one.value;
      document.querySelector(`label[for="setting-${name}"] output`).textContent = String(one.value);
    }
    noteSettings();
  });
  at("settings").append(note, ...(Object.keys(info.settings).length ? [reset] : []));
  noteSettings();
}
begin().catch((error) => { at("problem").textContent = error.message; });
