// What the numbers of two looks say, and how they are written.

const history = []; // of looks, the oldest first, of the last seconds
const historyTime = 3200;

const sumOf = (node, what) => node.inputs.reduce((sum, input) => sum + input[what], 0);

function remember(look) {
  const last = history[history.length - 1];
  if (last && (look.at_ms < last.at_ms || last.nodes.length !== look.nodes.length)) history.length = 0; // another graph
  if (last && look.at_ms === last.at_ms) return;
  history.push(look);
  while (history.length > 2 && look.at_ms - history[1].at_ms >= historyTime) history.shift();
}

/// Rate, mean handling time and share of busy time of a node since the oldest look that is remembered; null where it cannot be said.
function figuresOf(n) {
  const now = history[history.length - 1], before = history[0];
  const passed = now.at_ms - before.at_ms;
  const node = now.nodes[n];
  if (!(passed > 0)) return { rate: null, mean: null, busy: null };
  if (!node.inputs.length) return { rate: sentBy(now, before, n, passed), mean: null, busy: null };
  const handled = sumOf(node, 'handled') - sumOf(before.nodes[n], 'handled');
  const spent = sumOf(node, 'handling_ns') - sumOf(before.nodes[n], 'handling_ns');
  return { rate: handled * 1000 / passed, mean: handled > 0 ? spent / handled : null,
           busy: Math.max(0, Math.min(1, spent / 1e6 / passed / Math.max(1, node.replicas))) };
}

/// What a node without inputs sends: known where nobody else sends to the same input.
function sentBy(now, before, n, passed) {
  let rate = null;
  for (const edge of now.edges) {
    if (edge.from !== n || edge.dead_letters) continue;
    const alone = now.edges.every(other => other === edge || other.to !== edge.to || other.input !== edge.input);
    const input = inputOf(now, edge);
    if (!alone || !input) continue;
    rate = (rate || 0) + (input.accepted - inputOf(before, edge).accepted) * 1000 / passed;
  }
  return rate;
}

const inputOf = (look, edge) => look.nodes[edge.to].inputs.find(input => input.number === edge.input && input.replica === edge.replica);

/// 0: empty, 4: full or senders wait.
function fillOf(input) {
  if (!input || input.closed && !input.queued) return 0;
  if (input.blocked_senders) return 4;
  if (!input.queued) return 0;
  if (input.capacity === undefined) return input.queued < 100 ? 1 : input.queued < 10000 ? 2 : 3;
  const share = input.queued / Math.max(1, input.capacity);
  return share >= 1 ? 4 : share >= .75 ? 3 : share >= .35 ? 2 : 1;
}

function shortNumber(n) {
  if (n < 1000) return String(Math.round(n));
  for (const [unit, name] of [[1e9, 'G'], [1e6, 'M'], [1e3, 'k']])
    if (n >= unit) return (n / unit).toFixed(n / unit < 10 ? 1 : 0) + name;
}
const rateText = rate => rate === null ? '–' : (rate > 0 && rate < 10 ? rate.toFixed(1) : shortNumber(rate)) + '/s';
function spanText(ns) {
  if (ns === null || ns === undefined) return '–';
  if (ns < 1e3) return Math.round(ns) + ' ns';
  if (ns < 1e6) return (ns / 1e3).toFixed(ns < 1e4 ? 1 : 0) + ' µs';
  if (ns < 1e9) return (ns / 1e6).toFixed(ns < 1e7 ? 1 : 0) + ' ms';
  if (ns < 120e9) return (ns / 1e9).toFixed(ns < 1e10 ? 1 : 0) + ' s';
  return ns < 7200e9 ? Math.round(ns / 60e9) + ' min' : Math.round(ns / 3600e9) + ' h';
}
const msText = ms => ms < 1 ? '< 1 ms' : spanText(ms * 1e6);

/// "12/64 · 35 ms": what is queued, and how old the oldest is.
function queueText(input) {
  if (!input.queued) return '';
  const count = input.capacity ? input.queued + '/' + input.capacity : shortNumber(input.queued);
  return input.oldest_ms === undefined ? count : count + ' · ' + msText(input.oldest_ms);
}
const sendersText = input => input.blocked_senders ? input.blocked_senders + (input.blocked_senders >= 4096 ? '+' : '') + ' blocked' : '';

/// The actor whose state stands for the node's.
function foremost(node) {
  const ours = node.actors.filter(actor => actor.state === node.state);
  return ours.sort((a, b) => b.since_ms - a.since_ms)[0] || null;
}
const shortDoing = text => text.replace(/^blocked sending to '(.*)'$/, 'blocked → $1').replace(/^about to be /, '');
const doingText = node => { const first = foremost(node); return first ? first.doing : node.elsewhere ? elsewhereText(node.runsOn) : node.state; };

// -- of a graph that is split over processes
/// Tells each node where it runs.
function placeAllNodes(look) {
  for (const node of look.nodes) node.runsOn = look.places ? look.places[node.place || 0] : null;
}
const elsewhereText = place => place ? 'on ' + place.name + (place.state === 'unknown' ? '' : ', ' + place.state) : 'elsewhere';
/// Marks what runs elsewhere, and there is down.
const placeMark = node => node.elsewhere && node.runsOn && node.runsOn.state === 'down' ? ' away' : '';
