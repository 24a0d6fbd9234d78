'use strict';

// Use of the experts, or of the mixed kernels, inside a network.

/** A table of shares, a row for each class and a column for each name; `titleOf` explains a cell. */
function shareTable(caption, head, names, classes, shareOf, titleOf) {
  return el('div', {class: 'scroll', tabindex: 0, role: 'region', 'aria-label': caption},
    el('table', {class: 'confusion'}, el('caption', {}, caption),
      el('thead', {}, el('tr', {}, el('th', {}, head),
        names.map((name) => el('th', {scope: 'col', title: name}, el('span', {}, name))))),
      el('tbody', {}, classes.map((name) => el('tr', {}, el('th', {scope: 'row'}, name),
        names.map((_, e) => {
          const share = shareOf(name, e);
          return el('td', {
            title: titleOf(name, e),
            style: `background: rgba(var(--cell), ${(0.85 * share).toFixed(3)})`,
          }, (100 * share).toFixed(0));
        }))))));
}

/** Shows, for each class, the part of its images that each expert takes. */
function expertTable(layer, {names, images, right}, support) {
  const part = (count, of) => (of > 0 ? count / of : 0);
  return shareTable(`Experts of ${layer}: % of the class’s images that they take`, 'class ↓ expert →', names,
    Object.keys(images).filter((name) => support[name] > 0),
    (name, e) => part(images[name][e], support[name]),
    (name, e) => `${names[e]} takes ${images[name][e]} of ${support[name]} images of ${name}; ${percent(part(right[name][e], images[name][e]))} of them are right`);
}

/** Shows, for each class, what each kernel is worth in the mixes for its images. */
function kernelTable(layer, weights) {
  const classes = Object.keys(weights).filter((name) => weights[name].length > 0);
  return shareTable(`Kernels of ${layer}: mean weight in the mixes for the class’s images, %`, 'class ↓ kernel →',
    weights[classes[0]].map((_, kernel) => String(kernel)), classes,
    (name, kernel) => weights[name][kernel],
    (name, kernel) => `${percent(weights[name][kernel])} of the mixes for images of ${name} are kernel ${kernel}`);
}

/** What an expert takes in all, and the class of which it has the most right. */
function expertFigures({names, images, right}, total) {
  const classes = Object.keys(images);
  const sum = (counts, e) => classes.reduce((all, name) => all + counts[name][e], 0);
  return table('What each expert does', ['', 'images', 'share', 'right', 'most of', 'best at'], names.map((expert, e) => {
    const taken = classes.filter((name) => images[name][e] > 0);
    const largest = (figure) => taken.reduce((best, name) => (best && figure(best) >= figure(name) ? best : name), null);
    const best = largest((name) => right[name][e] / images[name][e]);
    return [expert, whole(sum(images, e)), percent(sum(images, e) / total),
      taken.length ? percent(sum(right, e) / sum(images, e)) : '–',
      largest((name) => images[name][e]) ?? '–',
      best ? `${best} (${percent(right[best][e] / images[best][e])})` : '–'];
  }), [0, 4, 5]);
}

/** The section of a network with layers of experts or of mixed kernels; null for others. */
function expertsSection({baseline: {experts, kernels, confusion, test_images: total}}) {
  if (!experts && !kernels) return null;
  const support = Object.fromEntries(
    confusion.classes.map((name, c) => [name, confusion.counts[c].reduce((a, b) => a + b, 0)]));
  return section('experts', experts ? 'Use of the experts' : 'Use of the kernels', [
    ...Object.entries(experts ?? {}).flatMap(([layer, use]) => [expertTable(layer, use, support), expertFigures(use, total)]),
    ...Object.entries(kernels ?? {}).map(([layer, weights]) => kernelTable(layer, weights))]);
}
