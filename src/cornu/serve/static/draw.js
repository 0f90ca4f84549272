// The page to draw a digit on: ink goes to the server as grey pixels, one request at a time, the latest drawing first.
"use strict";

const model = document.body.dataset.model;
const find = (id) => document.getElementById(id);
const drawing = find("drawing");
const pen = drawing.getContext("2d", { willReadFrequently: true });
const SENT = 140; // pixels per side of a drawing when sent
const MOST = 1200; // pixels on the longer side of a picture when sent

let asking = false;
let waiting = null;
let last = null; // where the pen was
let inked = false;
let digits = [];

// ---- drawing

function place(event) {
  const box = drawing.getBoundingClientRect();
  const scale = drawing.width / box.width;
  return [(event.clientX - box.left) * scale, (event.clientY - box.top) * scale];
}

function stroke(to) {
  pen.lineWidth = drawing.width / 13;
  pen.lineCap = pen.lineJoin = "round";
  pen.beginPath();
  pen.moveTo(...(last || to));
  pen.lineTo(...to);
  pen.stroke();
  last = to;
}

drawing.addEventListener("pointerdown", (event) => {
  if (event.button !== 0) return;
  if (!find("picture").hidden) clear();
  drawing.setPointerCapture(event.pointerId);
  inked = true;
  find("hint").hidden = true;
  stroke(place(event));
  askOfDrawing();
  event.preventDefault();
});

drawing.addEventListener("pointermove", (event) => {
  if (last === null) return;
  const events = event.getCoalescedEvents ? event.getCoalescedEvents() : [];
  for (const one of events.length ? events : [event]) stroke(place(one));
  askOfDrawing();
});

for (const name of ["pointerup", "pointercancel", "lostpointercapture"]) {
  drawing.addEventListener(name, () => {
    if (last === null) return;
    last = null;
    askOfDrawing();
  });
}

function clear() {
  pen.clearRect(0, 0, drawing.width, drawing.height);
  inked = false;
  last = waiting = null;
  find("picture").hidden = true;
  find("hint").hidden = false;
  show([]);
}

find("clear").addEventListener("click", clear);
document.addEventListener("keydown", (event) => {
  if (["Delete", "Backspace", "Escape"].includes(event.key)) clear();
});

// ---- asking

function askOfDrawing() {
  const small = document.createElement("canvas");
  small.width = small.height = SENT;
  const context = small.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.drawImage(drawing, 0, 0, SENT, SENT);
  const pixels = context.getImageData(0, 0, SENT, SENT).data;
  const grey = new Uint8Array(SENT * SENT);
  for (let i = 0; i < grey.length; i++) grey[i] = 255 - pixels[4 * i + 3];
  ask({ grey, width: SENT, height: SENT, separate: false });
}

async function ask(picture) {
  waiting = picture;
  if (asking) return;
  asking = true;
  while (waiting) {
    const { grey, width, height, separate } = waiting;
    waiting = null;
    try {
      const query = `width=${width}&height=${height}&separate=${separate}`;
      const response = await fetch(`/draw/${encodeURIComponent(model)}?${query}`, {
        method: "POST",
        headers: { "content-type": "application/octet-stream" },
        body: grey,
      });
      const answer = await response.json();
      if (!response.ok) throw new Error(answer.error);
      say("");
      if (inked || separate) show(answer.digits);
      if (separate && !answer.digits.length) say("No digit was found in this picture.");
    } catch (error) {
      say(error instanceof TypeError ? "The server does not answer. Is cornu serve still running?" : error.message);
    }
  }
  asking = false;
}

function say(text) {
  find("problem").textContent = text;
  find("problem").hidden = !text;
}

// ---- showing

for (let digit = 0; digit < 10; digit++) {
  const row = document.createElement("li");
  row.innerHTML = `<b>${digit}</b><span class="bar"><i></i></span><span class="share"></span>`;
  find("bars").append(row);
}

function show(found) {
  digits = found;
  find("found").hidden = found.length < 2;
  find("found").replaceChildren(
    ...found.map((one, index) => {
      const button = document.createElement("button");
      button.textContent = one.digit;
      button.title = `${percent(one.probabilities[one.digit])} sure`;
      button.addEventListener("click", () => choose(index));
      const item = document.createElement("li");
      item.append(button);
      return item;
    }),
  );
  drawBoxes();
  choose(0);
}

function choose(index) {
  const one = digits[index];
  [...find("found").querySelectorAll("button")].forEach((button, i) => button.setAttribute("aria-pressed", i === index));
  const probabilities = one ? one.probabilities : new Array(10).fill(0);
  [...find("bars").children].forEach((row, digit) => {
    row.classList.toggle("best", Boolean(one) && digit === one.digit);
    row.querySelector("i").style.transform = `scaleX(${probabilities[digit]})`;
    row.querySelector(".share").textContent = one ? percent(probabilities[digit]) : "";
  });
  find("winner").textContent = one ? one.digit : "?";
  find("sure").textContent = one ? `${percent(probabilities[one.digit])} sure` : "";
  const settled = one && one.saliency.every((value) => value === 0);
  if (settled) find("why").textContent = "The model is so sure that no single pixel matters";
  else find("why").innerHTML = one
    ? `Ink there speaks <i class="for">for ${one.digit}</i> or <i class="against">for ${one.rather_than}</i>`
    : 'Ink there speaks <i class="for">for</i> or <i class="against">against</i> the answer';
  paint(find("seen"), one ? one.image : [], (value) => [value, value, value]);
  paint(find("mattered"), one ? one.saliency : [], (value, i) => coloured(value / 127, one.image[i] / 255));
}

function percent(share) {
  const value = 100 * share;
  return value >= 99.95 ? ">99.9 %" : `${value.toFixed(value < 99 && value >= 10 ? 0 : 1)} %`;
}

// Blue for, orange against, on the digit in grey.
function coloured(strength, ink) {
  const target = strength > 0 ? [64, 156, 255] : [255, 140, 26];
  const share = Math.min(1, Math.abs(strength) ** 1.2);
  return target.map((channel) => Math.round(channel * share + (1 - share) * ink * 110));
}

function paint(canvas, values, colour) {
  const context = canvas.getContext("2d");
  const image = context.createImageData(28, 28);
  for (let i = 0; i < 784; i++) {
    image.data.set(i < values.length ? [...colour(values[i], i), 255] : [0, 0, 0, 255], 4 * i);
  }
  context.putImageData(image, 0, 0);
}

// ---- pictures

async function openPicture(file) {
  const bitmap = await bitmapOf(file);
  if (!bitmap) return;
  clear();
  const context = placed(bitmap, "low");
  const picture = context.canvas;
  const pixels = context.getImageData(0, 0, picture.width, picture.height).data;
  const grey = new Uint8Array(picture.width * picture.height);
  for (let i = 0; i < grey.length; i++) {
    grey[i] = 0.299 * pixels[4 * i] + 0.587 * pixels[4 * i + 1] + 0.114 * pixels[4 * i + 2];
  }
  picture.hidden = false;
  find("hint").hidden = true;
  ask({ grey, width: picture.width, height: picture.height, separate: true });
}

function drawBoxes() {
  const picture = find("picture");
  if (picture.hidden) return;
  pen.clearRect(0, 0, drawing.width, drawing.height);
  const scale = drawing.width / Math.max(picture.width, picture.height);
  const left = (drawing.width - picture.width * scale) / 2;
  const top = (drawing.height - picture.height * scale) / 2;
  pen.save();
  pen.lineWidth = 3;
  pen.strokeStyle = "#2f7de1";
  for (const { box } of digits) {
    pen.strokeRect(left + box[0] * scale - 4, top + box[1] * scale - 4, (box[2] - box[0]) * scale + 8, (box[3] - box[1]) * scale + 8);
  }
  pen.restore();
}

find("open").addEventListener("keydown", (event) => {
  if (event.key === "Enter" || event.key === " ") find("file").click();
});
listenForPictures(openPicture);

choose(0);
