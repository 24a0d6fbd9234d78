'use strict';

// Compares several runs.

function comparedFigures(runs) {
  const row = (title, value) => [title, ...runs.map((run) => value(run.results))];
  // A run without groups has no mixture.
  const ofMixture = (title, value) => row(title, (results) => (results.mixture ? value(results) : '–'));
  const controls = [...new Set(runs.flatMap((run) => Object.keys(run.results.verdict.controls)))];
  const gain = (control) => (control ? `${percent(control.accuracy)} (${signed(control.over_baseline.accuracy)})` : '–');
  return table('Comparison of the runs', ['', ...runs.map((run) => run.name)], [
    ofMixture('Has performance improved?', ({verdict}) => FINDINGS[verdict.improved]),
    ofMixture('Was it worth it?', ({verdict}) => FINDINGS[verdict.worth_it]),
    row('Baseline', ({verdict}) => percent(verdict.baseline.accuracy)),
    ofMixture('Mixture', ({verdict}) => `${percent(verdict.mixture.accuracy)} (${signed(verdict.difference.accuracy)})`),
    ofMixture('p-value of the difference', ({verdict}) => pValue(verdict.difference.p_value)),
    ...controls.map((name) => row(`Control: ${name}`, ({verdict}) => gain(verdict.controls[name]))),
    ofMixture('Gate', (results) => percent(results.gate.accuracy)),
    ofMixture('Parameters of the mixture', (results) => whole(results.mixture.parameters)),
    row('Training, all stages', (results) => duration((results.mixture_all_stages ?? results.all_stages ?? results.baseline).seconds)),
    ofMixture('relative to the baseline', (results) => times(results.mixture_all_stages.seconds, results.baseline.seconds)),
    row('Test images', (results) => whole(results.data.test_images)),
    row('Training images', (results) => whole(results.data.train_images)),
    row('Seed', (results) => String(results.seed)),
  ]);
}

/** Shows the lines that differ between the experiments. */
function comparedExperiments(runs) {
  const settings = runs.map((run) => {
    const found = new Map();
    let heading = '';
    for (const line of run.experiment.split('\n')) {
      const [, key, value] = line.match(/^(\w+) = (.*)$/) ?? [];
      if (line.startsWith('[')) heading = line.replace(/[[\]]/g, '');
      if (key) {
        const name = heading ? `${heading}.${key}` : key;
        found.set(name, found.has(name) ? `${found.get(name)}; ${value}` : value);
      }
    }
    return found;
  });
  const keys = [...new Set(settings.flatMap((each) => [...each.keys()]))];
  const rows = keys.filter((key) => new Set(settings.map((each) => each.get(key))).size > 1)
    .map((key) => [key, ...settings.map((each) => each.get(key) ?? '–')]);
  if (rows.length === 0) return el('p', {class: 'soft'}, 'The experiments are the same.');
  return table('Differences between the experiments', ['', ...runs.map((run) => run.name)], rows);
}

function comparisonPage(runs) {
  return [
    el('header', {id: 'verdict'}, el('h1', {}, `Comparison of ${runs.length} runs`),
      runs.map((run) => el('p', {}, el('strong', {}, `${run.name}: `), run.results.verdict.sentence))),
    section('figures', 'Accuracy and cost', comparedFigures(runs)),
    section('accuracies', 'Accuracy of each run', el('div', {class: 'pair'}, runs.map((run) => el('div', {},
      el('h3', {}, run.name), accuracyChart(classifiers(run.results)))))),
    section('setting', 'Experiments', comparedExperiments(runs)),
  ];
}
