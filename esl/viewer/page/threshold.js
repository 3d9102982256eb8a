// The slider, for all classes or one, and the lines of the config that give its selection.

function moveSlider(position) {
  const before = state.positions || startPositions();
  const positions = state.chosen < 0 ? before.map(() => position) : before.map((at, id) => (id === state.chosen ? position : at));
  update({ positions });
}

// Where a slider starts: at the round's own positions or, where its rule is no threshold, at as many pixels of each class.
function startPositions() {
  return positionsNow() || matched(state.measure);
}

// The place of the slider: the one position, or where all classes together keep about as much.
function sliderPosition() {
  const positions = startPositions();
  if (state.chosen >= 0) return positions[state.chosen];
  const predicted = [...classRows.keys()].map((id) => positions[id]);
  if (new Set(predicted).size === 1) return predicted[0];
  const goal = tally(TOTALS[state.measure], positions).kept;
  let best = -1, distance = goal;
  for (let at = 0; at < DATA.measures[state.measure].thresholds.length; at++) {
    const kept = tally(TOTALS[state.measure], EVERY_CLASS.map(() => at)).kept;
    if (Math.abs(kept - goal) < distance) [best, distance] = [at, Math.abs(kept - goal)];
  }
  return best;
}

function drawSlider() {
  const { name, sure, thresholds } = DATA.measures[state.measure];
  const slider = $("slider"), at = sliderPosition();
  slider.min = -1;
  slider.max = thresholds.length - 1;
  slider.value = at;
  const positions = positionsNow();
  const mixed = state.chosen < 0 && (!positions || new Set([...classRows.keys()].map((id) => positions[id])).size > 1);
  const sign = sure === "low" ? "≤" : "≥";
  const text = !positions ? `the rule of ${DATA.method}` : mixed ? "one for each class"
    : at < 0 ? "nothing is kept" : `${name} ${sign} ${thresholds[at]}`;
  $("threshold").textContent = text;
  slider.setAttribute("aria-valuetext", text);
  $("measure").value = state.measure;
  $("class").value = state.chosen;
  $("own").disabled = isOwn();
  drawConfig();
}

// YAML of a name: plain where no reader could take it for anything else.
function quoted(name) {
  const word = /^[A-Za-z][A-Za-z_-]*( [A-Za-z][A-Za-z_-]*)*$/.test(name);
  return word && !/^(y|n|yes|no|on|off|true|false|null)$/i.test(name) ? name : JSON.stringify(name);
}

function configLines() {
  const positions = positionsNow();
  if (!positions) return "";
  const { name, thresholds } = DATA.measures[state.measure];
  const text = (at) => (at < 0 ? "null" : decimal(thresholds[at]));
  const frequency = new Map(), ids = [...classRows.keys()].sort((a, b) => a - b);
  for (const id of ids) frequency.set(positions[id], (frequency.get(positions[id]) || 0) + 1);
  const [common] = [...frequency].sort((a, b) => b[1] - a[1])[0] || [-1];
  const special = ids.filter((id) => positions[id] !== common);
  const lines = ["benchmarks:", `  ${DATA.benchmark}:`, "    methods:", "      fixed:", `        measure: ${name}`,
    `        threshold: ${text(common)}`];
  if (special.length) lines.push("        classes:");
  for (const id of special) lines.push(`          ${quoted(DATA.classes[id][0])}: ${text(positions[id])}`);
  return `${lines.join("\n")}\n`;
}

// A number as YAML reads it: never with an exponent, which would be text.
const decimal = (value) => (String(value).includes("e") ? value.toFixed(20).replace(/0+$/, "") : String(value));

function drawConfig() {
  const lines = configLines();
  $("lines").value = lines;
  $("lines").hidden = $("copy").hidden = !lines;
  $("config-text").textContent = lines ? "Save these lines as fixed.yaml, and name it after the other config files of the run:"
    : `The rule of ${DATA.method} is no threshold of one measure. Move the slider to get lines that are.`;
  $("config-command").textContent = lines
    ? `snakemake --cores 8 results/${DATA.benchmark}/miou.json --configfile fixed.yaml` : "";
  $("copied").textContent = "";
}

async function copyLines() {
  const box = $("lines");
  $("config").open = true;
  if (!box.value) return;
  let done = true;
  try {
    await navigator.clipboard.writeText(box.value);
  } catch {
    box.focus(); // browsers may refuse the clipboard to a file
    box.select();
    done = document.execCommand("copy");
  }
  $("copied").textContent = done ? "Copied." : "Press Ctrl+C: the lines are marked.";
}
