// What the pages that take pictures share: a file is chosen, dropped or pasted, and its pixels land on a canvas.
// A page has its own `find`, `say`, and `MOST`, the pixels on the longer side of a picture.
"use strict";

async function bitmapOf(file) {
  try {
    return await createImageBitmap(file);
  } catch {
    say("The browser cannot read this picture. Use PNG or JPEG.");
    return null;
  }
}

// Put a bitmap on the page's canvas, on white; returns the canvas's context.
function placed(bitmap, smoothing) {
  const scale = Math.min(1, MOST / Math.max(bitmap.width, bitmap.height));
  const picture = find("picture");
  picture.width = Math.max(1, Math.round(bitmap.width * scale));
  picture.height = Math.max(1, Math.round(bitmap.height * scale));
  const context = picture.getContext("2d", { willReadFrequently: true });
  context.imageSmoothingQuality = smoothing;
  context.fillStyle = "white";
  context.fillRect(0, 0, picture.width, picture.height);
  context.drawImage(bitmap, 0, 0, picture.width, picture.height);
  return context;
}

function listenForPictures(open) {
  const pictureIn = (files) => [...files].find((one) => one.type.startsWith("image/"));
  find("file").addEventListener("change", (event) => {
    if (event.target.files.length) open(event.target.files[0]);
    event.target.value = "";
  });
  for (const name of ["dragenter", "dragover"]) {
    document.addEventListener(name, (event) => {
      event.preventDefault();
      find("paper").classList.add("over");
    });
  }
  for (const name of ["dragleave", "drop"]) {
    document.addEventListener(name, (event) => {
      event.preventDefault();
      find("paper").classList.remove("over");
    });
  }
  document.addEventListener("drop", (event) => {
    const file = pictureIn(event.dataTransfer.files);
    if (file) open(file);
    else say("Drop a picture: PNG, JPEG, or another format that the browser can show.");
  });
  document.addEventListener("paste", (event) => {
    const file = pictureIn(event.clipboardData.files);
    if (file) open(file);
  });
}
