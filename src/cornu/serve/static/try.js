// Forms that send a request and show the answer; `HERE` in examples becomes this server's address.
"use strict";

for (const example of document.querySelectorAll("[data-here]")) {
  example.textContent = example.textContent.replaceAll("HERE", location.origin);
}

document.addEventListener("submit", async (event) => {
  const form = event.target.closest("form.try");
  if (!form) return;
  event.preventDefault();
  const shown = form.querySelector("pre");
  shown.hidden = false;
  shown.textContent = "…";
  let path = form.dataset.path;
  for (const field of form.querySelectorAll("[data-in=path]")) {
    path = path.replace(`{${field.name}}`, encodeURIComponent(field.value));
  }
  const query = [...form.querySelectorAll("[data-in=query]")].filter((field) => field.value);
  if (query.length) path += "?" + query.map((field) => `${field.name}=${encodeURIComponent(field.value)}`).join("&");
  const body = form.querySelector("textarea");
  try {
    const response = await fetch(path, body
      ? { method: "POST", headers: { "content-type": "application/json" }, body: body.value }
      : {});
    const text = await response.text();
    shown.textContent = `${response.status} ${response.statusText}\n${pretty(text)}`;
  } catch {
    shown.textContent = "The server does not answer. Is cornu serve still running?";
  }
});

function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 1).replace(/\n\s+(?=[-\d\]])/g, " ");
  } catch {
    return text;
  }
}
