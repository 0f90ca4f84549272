// The page of the OpenAPI document: one foldable entry for each path, with a form to try it.
"use strict";

function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

function resolved(document_, schema) {
  const name = schema && schema.$ref && schema.$ref.split("/").pop();
  return name ? document_.components.schemas[name] : schema;
}

function field(parameter) {
  const { schema, name } = parameter;
  const input = schema.enum
    ? element("select", {}, ...schema.enum.map((value) => element("option", {}, value)))
    : element("input", { placeholder: name });
  input.name = name;
  input.dataset.in = parameter.in;
  return element("p", {}, element("label", {}, `${name} `, input));
}

// A request with one row of zeros for the chosen model.
async function example(path, model) {
  const { inputs } = await (await fetch(`/v2/models/${encodeURIComponent(model)}`)).json();
  const row = ({ shape }) => shape.slice(1).reduceRight((inner, size) => new Array(Math.max(size, 1)).fill(inner), 0);
  if (path.endsWith(":predict")) {
    const rows = Object.fromEntries(inputs.map((input) => [input.name, row(input)]));
    return JSON.stringify({ instances: [inputs.length > 1 ? rows : Object.values(rows)[0]] });
  }
  return JSON.stringify({ inputs: inputs.map((input) => {
    const shape = [1, ...input.shape.slice(1).map((size) => Math.max(size, 1))];
    return { name: input.name, shape, datatype: input.datatype, data: [row(input)] };
  }) });
}

function entry(document_, path, method, operation) {
  const answer = element("pre", { hidden: true });
  const form = element("form", { className: "try" }, ...(operation.parameters || []).map(field));
  form.dataset.path = path;
  const content = operation.requestBody && Object.keys(operation.requestBody.content)[0];
  if (content === "application/json") {
    const body = element("textarea", { spellcheck: false, ariaLabel: "Request body" });
    const choice = form.querySelector("select");
    const fill = async () => { body.value = await example(path, choice.value); };
    choice.addEventListener("change", fill);
    fill();
    form.append(body);
  }
  if (!content || content === "application/json") form.append(element("p", {}, element("button", {}, "Send")), answer);
  const statuses = Object.entries(operation.responses).map(([code, { description }]) =>
    element("tr", {}, element("td", {}, code), element("td", {}, description)));
  const parts = [element("table", {}, element("tbody", {}, ...statuses))];
  if (content === "application/json") {
    const schema = resolved(document_, operation.requestBody.content[content].schema);
    parts.unshift(element("pre", {}, JSON.stringify(schema, null, 2)));
  }
  return element("details", {},
    element("summary", {}, element("b", {}, method.toUpperCase()), element("code", {}, path), element("span", {}, operation.summary)),
    ...parts, form);
}

async function main() {
  const document_ = await (await fetch("/openapi.json")).json();
  const groups = new Map();
  for (const [path, methods] of Object.entries(document_.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      const tag = operation.tags[0];
      groups.set(tag, [...(groups.get(tag) || []), entry(document_, path, method, operation)]);
    }
  }
  const found = [];
  for (const [tag, entries] of groups) found.push(element("h2", {}, tag), ...entries);
  document.getElementById("paths").replaceChildren(...found);
}

main();
