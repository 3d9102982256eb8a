"use strict";
// What the page holds, and the images that it loads: one script each, because a page from the file system may not fetch.

const DATA = JSON.parse(document.getElementById("data").textContent);
const IGNORE = 255;
const KEPT_IMAGES = 4; // decoded images that stay in memory

const $ = (id) => document.getElementById(id);
const arrivals = new Map(); // number -> what to do with its content
const images = new Map(); // number -> promise of the image, the last used one last

// Called by the script of an image.
function showImage(number, key, content) {
  const arrival = arrivals.get(number);
  if (arrival) arrival(key, content);
}

function imageNumbered(number) {
  const found = images.get(number) || loaded(number).then(decoded);
  images.delete(number);
  images.set(number, found);
  found.catch(() => images.delete(number));
  for (const old of [...images.keys()].slice(0, -KEPT_IMAGES)) images.delete(old);
  return found;
}

function loaded(number) {
  const file = `${encodeURIComponent(DATA.folder)}/${String(number).padStart(5, "0")}.js`;
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    const finish = (act, value) => { arrivals.delete(number); script.remove(); act(value); };
    arrivals.set(number, (key, content) => {
      if (key === DATA.key) finish(resolve, content);
      else finish(reject, new Error(`${file} belongs to another run of the workflow: make the page again, and reload it.`));
    });
    script.onerror = () => finish(reject, new Error(`${file} is missing: copy the folder ${DATA.folder} along with the page.`));
    script.src = file;
    document.head.append(script);
  });
}

async function decoded(content) {
  const photo = bytesOf(content.photo);
  const levels = [], labels = [];
  for (const packed of content.levels) levels.push(...await planes(packed));
  for (const packed of content.labels) labels.push(...await planes(packed));
  const [width, height] = content.size;
  const counts = split(await inflated(content.counts), content.classes);
  return { width, height, photo, levels, labels, counts, own: content.own, prediction: labels[0], truth: labels[1] };
}

const bytesOf = (base64) => Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));

// A bitmap rather than an element: browsers keep every image that an element has shown.
function picture(bytes) {
  const options = { colorSpaceConversion: "none", premultiplyAlpha: "none" };
  return createImageBitmap(new Blob([bytes], { type: "image/webp" }), options);
}

const scratch = document.createElement("canvas").getContext("2d", { willReadFrequently: true });

// Red, green and blue of a lossless image, each a plane of bytes.
async function planes(base64) {
  const image = await picture(bytesOf(base64));
  scratch.canvas.width = image.width;
  scratch.canvas.height = image.height;
  scratch.drawImage(image, 0, 0);
  const pixels = scratch.getImageData(0, 0, image.width, image.height).data;
  image.close();
  return [0, 1, 2].map((channel) => {
    const plane = new Uint8Array(pixels.length / 4);
    for (let i = 0; i < plane.length; i++) plane[i] = pixels[4 * i + channel];
    return plane;
  });
}

// Deflated 32-bit numbers, whose lowest bytes come first, then the second ones, and so on.
async function inflated(base64) {
  const stream = new Blob([bytesOf(base64)]).stream().pipeThrough(new DecompressionStream("deflate"));
  const flat = new Uint8Array(await new Response(stream).arrayBuffer());
  const count = flat.length / 4;
  return Array.from({ length: count }, (_, i) =>
    flat[i] + 256 * flat[count + i] + 65536 * flat[2 * count + i] + 16777216 * flat[3 * count + i]);
}
