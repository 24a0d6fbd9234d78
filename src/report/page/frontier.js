'use strict';

// A frontier: accuracy over work, of dense networks and a mixture.

const SERIES = [
  ['dense networks', 'baseline', (point) => point.kind === 'dense' && point.views === 'one', {showLine: true}],
  ['dense, more views of an image', 'baseline', (point) => point.kind === 'dense' && point.views !== 'one', {pointStyle: 'circle', backgroundColor: 'transparent'}],
  ['mixture with other shares', 'mixture', (point) => point.kind === 'share', {showLine: true, borderDash: [4, 4], pointRadius: 3}],
  ['no choice by image', 'control', (point) => point.kind === 'random', {pointStyle: 'crossRot', pointRadius: 7}],
  ['mixture', 'mixture', (point) => point.kind === 'mixture', {pointStyle: 'rectRot', pointRadius: 9}],
];

/** Shows the test accuracy of the points over a figure of theirs; points without it are left out. */
function frontierChart(points, axis, figure) {
  const measured = points.filter((point) => figure(point) > 0);
  return chart(`Test accuracy over ${axis}`, () => ({
    type: 'scatter',
    data: {datasets: SERIES.map(([label, of, belongs, style]) => ({
      label, borderColor: colour(of), backgroundColor: colour(of), borderWidth: 2, pointRadius: 5, ...style,
      data: measured.filter(belongs).map((point) => ({x: figure(point), y: 100 * point.test_accuracy, name: point.name}))
        .sort((a, b) => a.x - b.x),
    })).filter((dataset) => dataset.data.length > 0)},
    options: {
      scales: {x: {title: {display: true, text: axis}}, y: {title: {display: true, text: 'test accuracy in %'}}},
      plugins: {
        legend: {labels: {usePointStyle: true}},
        tooltip: {callbacks: {label: ({raw}) => `${raw.name}: ${raw.y.toFixed(1)}% at ${raw.x.toPrecision(3)}`}},
      },
    },
  }), table(`Test accuracy over ${axis}`, ['', axis, 'test accuracy'],
    measured.map((point) => [point.name, figure(point).toPrecision(3), percent(point.test_accuracy)])), 380);
}

function seedsTable(found) {
  return table('Mixture minus the best dense network, on the same test images', ['', 'points', '95% interval', 'p'], [
    ...found.seeds.map((seed, i) => [`seed ${i + 1}`, signed(seed.accuracy),
      `${signed(seed.accuracy_95[0])} to ${signed(seed.accuracy_95[1])}`, pValue(seed.p_value)]),
    ...(found.seeds.length > 1 ? [['all', signed(found.accuracy),
      `${signed(found.accuracy_95[0])} to ${signed(found.accuracy_95[1])}`, pValue(found.p_value)]] : []),
  ]);
}

function frontierPage(frontier) {
  const {points, rival} = frontier;
  const [mixture] = points;
  const found = frontier.mixture_over_rival;
  const atRandom = frontier.mixture_over_random;
  return [
    el('header', {id: 'verdict'}, el('h1', {}, `${frontier.name}: is the mixture above the dense networks?`),
      el('p', {class: 'sentence'}, frontier.sentence),
      atRandom ? el('p', {}, `The mixture’s choice by the image brings ${signed(atRandom.accuracy)} points over ${points.find((point) => point.kind === 'random').name} (p ${pValue(atRandom.p_value)}).`) : null,
      el('p', {class: 'soft'}, 'The rival was chosen by validation images, among the dense networks that need at most the mixture’s work for an image and in training.')),
    section('work', 'Accuracy over work', el('div', {class: 'pair'},
      frontierChart(points, 'MFLOP for an image', (point) => point.test_flops_per_image / 1e6),
      frontierChart(points, 'latency of an image in ms', (point) => point.latency_ms),
      frontierChart(points, 'training work, times the mixture’s', (point) => point.training_flops / mixture.training_flops))),
    section('points', 'All figures', table('Means of the seeds',
      ['', 'MFLOP for a test image', 'latency', 'training', 'epochs', 'validation', 'test'],
      points.map((point) => [point.name === rival ? `${point.name} (the rival)` : point.name,
        mega(point.test_flops_per_image), point.latency_ms > 0 ? `${point.latency_ms.toFixed(2)} ms` : '–',
        `× ${(point.training_flops / mixture.training_flops).toFixed(2)}`, String(point.epochs),
        percent(point.validation_accuracy), percent(point.test_accuracy)])),
    found ? seedsTable(found) : null),
  ];
}
