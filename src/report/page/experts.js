'use strict';

// Use of the experts inside a network.

/** Shows, for each class, the part of its images that each expert takes. */
function expertTable(layer, {names, images, right}, support) {
  const part = (count, of) => (of > 0 ? count / of : 0);
  const caption = `Experts of ${layer}: % of the class’s images that they take`;
  return el('div', {class: 'scroll', tabindex: 0, role: 'region', 'aria-label': caption},
    el('table', {class: 'confusion'}, el('caption', {}, caption),
      el('thead', {}, el('tr', {}, el('th', {}, 'class ↓ expert →'),
        names.map((name) => el('th', {scope: 'col', title: name}, el('span', {}, name))))),
      el('tbody', {}, Object.keys(images).filter((name) => support[name] > 0).map((name) => el('tr', {}, el('th', {scope: 'row'}, name),
        names.map((expert, e) => {
          const share = part(images[name][e], support[name]);
          return el('td', {
            title: `${expert} takes ${images[name][e]} of ${support[name]} images of ${name}; ${percent(part(right[name][e], images[name][e]))} of them are right`,
            style: `background: rgba(var(--cell), ${(0.85 * share).toFixed(3)})`,
          }, (100 * share).toFixed(0));
        }))))));
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

/** The section of a network with layers of experts; null for others. */
function expertsSection({baseline}) {
  if (!baseline.experts) return null;
  const {classes, counts} = baseline.confusion;
  const support = Object.fromEntries(classes.map((name, c) => [name, counts[c].reduce((a, b) => a + b, 0)]));
  return section('experts', 'Use of the experts', Object.entries(baseline.experts).map(([layer, use]) => [
    expertTable(layer, use, support), expertFigures(use, baseline.test_images)]));
}
