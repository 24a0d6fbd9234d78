'use strict';

// The wrong predictions of each class in which the classifier believes most.

function mistake(item, classes) {
  return el('div', {class: 'mistake'},
    el('img', {src: `data:image/png;base64,${item.png}`, width: 64, height: 64,
      alt: `${item.file ?? `test image ${item.image}`}, ${classes[item.truth]}`}),
    el('div', {}, el('p', {}, `predicted as ${classes[item.predicted]}, ${percent(item.probability)}`),
      el('p', {class: 'soft'}, item.file ?? `test image ${item.image}`)));
}

function mistakesSection(run) {
  const mistakes = run.gallery.filter((item) => item.kind === 'mistake');
  if (mistakes.length === 0) return null;
  const model = run.results.mixture ? 'mixture' : 'baseline';
  const {classes, counts} = run.results[model].confusion;
  const cards = classes.map((name, c) => {
    const own = mistakes.filter((item) => item.truth === c);
    if (own.length === 0) return null;
    const all = counts[c].reduce((a, b) => a + b, 0);
    return el('article', {class: 'card'}, el('h3', {}, name),
      el('p', {class: 'soft'}, `${whole(all - counts[c][c])} of ${whole(all)} images are wrong`),
      own.map((item) => mistake(item, classes)));
  });
  return section('mistakes', `Worst mistakes of the ${run.results.mixture ? 'mixture' : 'network'}`,
    el('p', {class: 'soft'}, 'Of each class, the test images that are wrong with the highest probability. Labels may be wrong, too.'),
    el('div', {class: 'cards'}, cards));
}
