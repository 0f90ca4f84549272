// The page to name a picture: it goes to the server as RGB pixels, which come back as classes with probabilities.
"use strict";

const model = document.body.dataset.model;
const find = (id) => document.getElementById(id);
const MOST = 640; // pixels on the longer side of a picture when sent
const SHOWN = 10; // classes

let latest = 0; // an answer to an earlier picture is not shown

async function openPicture(file) {
  const mine = ++latest;
  const bitmap = await bitmapOf(file);
  if (!bitmap) return;
  if (mine !== latest) return;
  const context = placed(bitmap, "high");
  const picture = context.canvas;
  picture.hidden = false;
  find("hint").hidden = true;
  await ask(context.getImageData(0, 0, picture.width, picture.height), mine);
}

async function ask({ data, width, height }, mine) {
  const colours = new Uint8Array(width * height * 3);
  for (let i = 0, j = 0; i < data.length; i += 4) {
    colours[j++] = data[i];
    colours[j++] = data[i + 1];
    colours[j++] = data[i + 2];
  }
  try {
    const response = await fetch(`/classify/${encodeURIComponent(model)}?width=${width}&height=${height}`, {
      method: "POST",
      headers: { "content-type": "application/octet-stream" },
      body: colours,
    });
    const answer = await response.json();
    if (!response.ok) throw new Error(answer.error);
    if (mine !== latest) return;
    say("");
    show(answer);
  } catch (error) {
    say(error instanceof TypeError ? "The server does not answer. Is cornu serve still running?" : error.message);
  }
}

function say(text) {
  find("problem").textContent = text;
  find("problem").hidden = !text;
}

function show({ classes, seen }) {
  find("winner").textContent = classes[0].name;
  find("sure").textContent = `${percent(classes[0].probability)} sure`;
  find("bars").replaceChildren(...classes.slice(0, SHOWN).map((one, place) => {
    const row = document.createElement("li");
    row.innerHTML = '<b></b><span class="bar"><i></i></span><span class="share"></span>';
    row.classList.toggle("best", place === 0);
    row.querySelector("b").textContent = row.querySelector("b").title = one.name;
    row.querySelector("i").style.transform = `scaleX(${one.probability})`;
    row.querySelector(".share").textContent = percent(one.probability);
    return row;
  }));
  const rest = classes.length - SHOWN;
  find("more").textContent = rest > 0 ? `and ${rest} less likely classes` : "";
  find("seen").src = seen;
  find("seen").hidden = false;
}

function percent(share) {
  const value = 100 * share;
  return value >= 99.95 ? ">99.9 %" : `${value.toFixed(value < 99 && value >= 10 ? 0 : 1)} %`;
}

find("choose").addEventListener("click", () => find("file").click());
find("paper").addEventListener("keydown", (event) => {
  if (event.key === "Enter" || event.key === " ") {
    event.preventDefault();
    find("file").click();
  }
});
listenForPictures(openPicture);
