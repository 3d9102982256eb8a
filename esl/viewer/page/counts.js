// Exact numbers: pixels of each predicted class up to each position, and how many of them are right.

// Counts of every measure in the order class, level, (unlabelled, wrong, right), for `classes` -> running sums by class.
function split(numbers, classes) {
  let start = 0;
  return DATA.measures.map(({ thresholds }) => {
    const size = thresholds.length * 3;
    const rows = new Map();
    for (const id of classes) {
      rows.set(id, runningSums(numbers, start, thresholds.length));
      start += size;
    }
    return rows;
  });
}

function runningSums(numbers, start, levels) {
  const kept = new Float64Array(levels), labelled = new Float64Array(levels), right = new Float64Array(levels);
  let sums = [0, 0, 0];
  for (let level = 0; level < levels; level++) {
    sums = sums.map((sum, verdict) => sum + numbers[start + 3 * level + verdict]);
    kept[level] = sums[0] + sums[1] + sums[2];
    labelled[level] = sums[1] + sums[2];
    right[level] = sums[2];
  }
  return { kept, labelled, right };
}

const EVERY_CLASS = DATA.classes.map((_, id) => id);
const TOTALS = DATA.measures.map(({ counts, thresholds }) =>
  new Map(EVERY_CLASS.map((id) => [id, runningSums(counts, id * 3 * thresholds.length, thresholds.length)])));

// What `positions` keep of the pixels counted in `rows`: by class, and altogether.
function tally(rows, positions) {
  const whole = { pixels: 0, kept: 0, labelled: 0, right: 0, classes: new Map() };
  for (const [id, { kept, labelled, right }] of rows) {
    const at = positions[id], last = kept.length - 1;
    const entry = { pixels: kept[last], kept: at < 0 ? 0 : kept[at], labelled: at < 0 ? 0 : labelled[at],
      right: at < 0 ? 0 : right[at] };
    for (const key of ["pixels", "kept", "labelled", "right"]) whole[key] += entry[key];
    whole.classes.set(id, entry);
  }
  return whole;
}

// The same for a rule that is no threshold: (kept, right, labelled) of the pixels predicted as each class were counted.
function tallyOwn(rows, own) {
  const whole = { pixels: 0, kept: 0, labelled: 0, right: 0, classes: new Map() };
  for (const [id, sums] of rows) {
    const [kept, right, labelled] = own[id], pixels = sums.kept[sums.kept.length - 1];
    const entry = { pixels, kept, labelled, right };
    for (const key of Object.keys(entry)) whole[key] += entry[key];
    whole.classes.set(id, entry);
  }
  return whole;
}

const share = (part, all) => (all ? part / all : null);

function percent(fraction, unit = " %") {
  return fraction === null ? "–" : `${(100 * fraction).toFixed(1)}${unit}`;
}

// A fraction as text of an element, in percent, and the fraction itself as an attribute.
function showShare(element, fraction, unit) {
  element.textContent = percent(fraction, unit);
  element.dataset.value = String(fraction);
}

// For each class the position of a measure at which about the share is kept that the round keeps.
function matched(measure) {
  return EVERY_CLASS.map((id) => {
    const { kept } = TOTALS[measure].get(id), all = kept[kept.length - 1], goal = DATA.own.counts[id][0];
    if (!all || !goal) return -1;
    let best = 0;
    kept.forEach((pixels, at) => { if (Math.abs(pixels - goal) < Math.abs(kept[best] - goal)) best = at; });
    return best;
  });
}
