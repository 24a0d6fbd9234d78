'use strict';

// Images that the mixture fixed or broke, with the outputs of each part.

const strongest = (shares, count) => shares.map((share, i) => [i, share])
  .sort((a, b) => b[1] - a[1]).slice(0, count).map(([i]) => i);

const bar = (name, share, text, of, isTrue) => el('div', {class: isTrue ? 'bar true' : 'bar'},
  el('span', {title: name}, name),
  el('i', {style: `width: ${(100 * share).toFixed(1)}%; background: var(--${of})`}),
  el('span', {}, text));

/** Shows a classifier's three largest probabilities, and the true class's. */
function answers(title, scores, classes, truth, of) {
  const sum = scores.reduce((a, b) => a + b, 0);
  const shares = scores.map((score) => score / sum);
  const shown = strongest(shares, 3);
  if (truth !== undefined && !shown.includes(truth)) shown[shown.length - 1] = truth;
  return [el('h4', {}, title), shown.map((c) => bar(classes[c], shares[c], percent(shares[c]), of, c === truth))];
}

/** Shows the sub-gate's weights of baseline and expert, for the classes in `shown`. */
function importances(pairs, shown, classes) {
  return [el('h4', {}, 'share of the expert’s weight (the rest is the baseline’s)'), shown.map((c) => {
    const [baseline, expert] = pairs[c];
    const share = baseline + expert > 0 ? expert / (baseline + expert) : 0.5;
    return el('div', {class: 'bar', title: `${classes[c]}: baseline ${baseline}, expert ${expert}`},
      el('span', {}, classes[c]),
      el('div', {class: 'two'},
        el('i', {style: `width: ${(100 * share).toFixed(1)}%; background: var(--expert)`}),
        el('i', {style: `width: ${(100 * (1 - share)).toFixed(1)}%; background: var(--baseline)`})),
      el('span', {}, percent(share)));
  })];
}

/** Shows one image; the gallery knows its true class. */
function card(item, classes, groups) {
  const best = (scores) => strongest(scores, 1)[0];
  const [before, after] = [best(item.frozen), best(item.mixture)];
  const known = item.truth !== undefined;
  const shown = [...new Set(known ? [item.truth, after, before] : [after, before])];
  return el('article', {class: 'card'},
    el('header', {},
      el('img', {src: `data:image/png;base64,${item.png}`, width: 64, height: 64,
        alt: known ? `${item.file ?? `test image ${item.image}`}, ${classes[item.truth]}` : 'the picture'}),
      el('div', {}, known ? el('h3', {}, classes[item.truth]) : null,
        item.file ? el('p', {class: 'soft'}, item.file) : null,
        el('p', {}, `baseline: ${classes[before]}`), el('p', {}, `mixture: ${classes[after]}`))),
    el('div', {class: 'bars'},
      el('h4', {}, 'gate'),
      groups.map((group, g) => bar(group, item.gate[g], percent(item.gate[g]), 'gate', g === item.true_group)),
      answers('baseline, before joint training', item.frozen, classes, item.truth, 'baseline'),
      answers(`expert for ${groups[item.group]}`, item.expert, classes, item.truth, 'expert'),
      importances(item.importance, shown, classes),
      answers('mixture', item.mixture, classes, item.truth, 'mixture')));
}

function gallerySection(run) {
  const classes = run.results.data.class_names;
  const groups = run.results.groups.map((group) => group.name);
  const cards = el('div', {class: 'cards'});
  const {only_mixture: fixed, only_baseline: broken} = run.results.verdict.difference;
  const show = (kind) => {
    const items = run.gallery.filter((item) => item.kind === kind);
    cards.replaceChildren(...items.map((item) => card(item, classes, groups)));
    if (items.length === 0) cards.replaceChildren(el('p', {class: 'soft'}, 'There are no such images.'));
  };
  return section('gallery', 'Fixed and broken images',
    el('p', {class: 'soft'}, `The mixture fixed ${whole(fixed)} and broke ${whole(broken)} of ${whole(run.results.data.test_images)} test images. `
      + 'Some of them are below; the true class is in bold.'),
    choice('Show', 'kind', [['fixed', 'fixed by the mixture'], ['broken', 'broken by the mixture']], show),
    cards);
}
