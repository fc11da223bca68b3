// Asks for looks, once a second, and shows them; mouse, keys, search and theme.

const pace = 1000, patience = 4000, staleAfter = 3000;
const page = { look: null, shape: '', graph: null, detail: null, lastGood: 0, polls: 0, turn: 0, problem: '', theme: 'auto', timer: 0 };

async function ask(path) {
  const answer = await fetch(path, { cache: 'no-store', signal: AbortSignal.timeout(patience) });
  if (!answer.ok) throw new Error('it answers ' + answer.status);
  return answer.json();
}
const query = more => '?' + new URLSearchParams({ ...(page.graph ? { graph: page.graph } : {}), ...more });

async function poll() {
  clearTimeout(page.timer);
  const turn = ++page.turn; // of several that are under way only the last one goes on
  try {
    const begun = performance.now();
    const look = await ask('graph.json' + query({}));
    page.took = performance.now() - begun;
    const chosen = picture.chosen;
    let detail = null;
    if (chosen >= 0 && page.look) detail = await ask('graph/actor.json' + query({ node: page.look.nodes[chosen].name })).catch(() => null);
    if (turn !== page.turn) return;
    if (picture.chosen === chosen) page.detail = detail; // else it is of another node
    page.lastGood = performance.now();
    page.problem = '';
    ++page.polls;
    take(look);
  } catch (problem) {
    if (turn !== page.turn) return;
    page.problem = problem.name === 'TimeoutError' ? 'no answer in time' : problem instanceof TypeError ? 'no connection' : problem.message;
  }
  showLink();
  if (!document.hidden) page.timer = setTimeout(poll, pace);
}

function take(look) {
  placeAllNodes(look);
  remember(look);
  page.look = look;
  const shapeNow = JSON.stringify([look.name, look.nodes.map(node => [node.name, node.replicas, node.junction, node.supervisor]), look.edges, look.supervisors]);
  if (shapeNow !== page.shape) {
    page.shape = shapeNow;
    history.splice(0, history.length - 1);
    byId('title').textContent = look.name;
    document.title = look.name + ' – graph';
    picture.draw(look);
    tree.draw(look, n => choose(n, true));
    search();
  }
  show();
}

function show() {
  const look = page.look;
  if (!look) return;
  picture.show(look);
  tree.show(look, picture.chosen, picture.hits);
  if (picture.chosen >= 0) panel.show(look, picture.chosen, page.detail);
  const sum = of => look.nodes.reduce((total, node) => total + of(node), 0);
  const count = (n, one, many) => `${n} ${n === 1 ? one : many}`;
  const parts = [count(sum(node => node.junction ? 0 : 1), 'node', 'nodes'), count(sum(node => node.running), 'actor', 'actors')];
  const queued = sum(node => sumOf(node, 'queued')), blocked = sum(node => sumOf(node, 'blocked_senders')), restarts = sum(node => node.restarts);
  parts.push(shortNumber(queued) + ' queued');
  if (blocked) parts.push(shortNumber(blocked) + ' blocked');
  if (restarts) parts.push(count(restarts, 'restart', 'restarts'));
  put(byId('summary'), 'text', parts.join(' · '));
  const places = byId('places');
  for (const one of [places, ...document.querySelectorAll('.split')]) one.hidden = !look.places;
  if (look.places) become(places, h('p', ...look.places.map(place => h('span.place.' + place.state, h('i'), `${place.name} ${place.state === 'unknown' ? '' : place.state}`.trim()))));
  const alarm = byId('alarm');
  alarm.hidden = !look.knots.length;
  put(alarm, 'text', look.knots.length === 0 ? '' : look.knots.map((knot, i) => `Knot ${i + 1}: ${few(knot.actors.filter(actor => actor.in_knot).map(actor => actor.name))} wait for each other`).join('   '));
  byId('nothing').hidden = look.nodes.length > 0;
  byId('nothing').textContent = look.nodes.length ? '' : 'This graph has no nodes.';
}

const few = names => names.slice(0, 6).join(' ⇄ ') + (names.length > 6 ? ` and ${names.length - 6} more` : '');

function showLink() {
  const link = byId('link'), age = performance.now() - page.lastGood, stale = page.problem !== '' && (age > staleAfter || !page.look);
  link.className = stale ? 'stale' : page.look ? '' : 'wait';
  put(byId('link-text'), 'text', stale ? `${page.look ? 'stale for ' + Math.round(age / 1000) + ' s' : 'nothing yet'}: ${page.problem}` : page.look ? 'live' : 'connecting');
  byId('stage').classList.toggle('stale-stage', stale && page.look !== null);
}

function choose(n, near) {
  picture.chosen = n;
  page.detail = null;
  byId('panel').hidden = n < 0;
  if (n >= 0) picture.reveal(n, near);
  show();
  if (n >= 0) byId('panel-title').focus({ preventScroll: true });
  else if (picture.nodes.length) picture.nodes[picture.focused].group.focus({ preventScroll: true });
}

// -- search ------------------------------------------------------------------------------------------------
function search() {
  const text = byId('search').value.trim().toLowerCase();
  const nodes = page.look ? page.look.nodes : [];
  picture.hits = text ? new Set(nodes.flatMap((node, n) => node.name.toLowerCase().includes(text) || doingText(node).toLowerCase().includes(text) ? [n] : [])) : null;
  put(byId('found'), 'text', picture.hits ? picture.hits.size + ' found' : '');
  show();
}
byId('search').oninput = search;
byId('search').onkeydown = event => {
  if (event.key === 'Escape') {
    byId('search').value = '';
    search();
    byId('search').blur();
  } else if (event.key === 'Enter' && picture.hits && picture.hits.size) {
    const hits = [...picture.hits].sort((a, b) => a - b), at = hits.indexOf(page.hit);
    page.hit = hits[(at + 1) % hits.length];
    picture.reveal(page.hit, true);
    picture.focus(page.hit);
    byId('search').focus();
  }
  event.stopPropagation();
};

// -- mouse ---------------------------------------------------------------------------------------------------
const nodeAt = event => { const group = event.target.closest('.node'); return group ? Number(group.dataset.node) : -1; };
let drag = null;
picture.svg.onpointerdown = event => { if (event.button === 0) drag = { x: event.clientX, y: event.clientY, node: nodeAt(event), moved: false }; };
picture.svg.onpointermove = event => {
  if (!drag) return;
  const dx = event.clientX - drag.x, dy = event.clientY - drag.y;
  if (!drag.moved && Math.hypot(dx, dy) < 4) return;
  if (!drag.moved) picture.svg.setPointerCapture(event.pointerId);
  drag = { ...drag, moved: true, x: event.clientX, y: event.clientY };
  picture.svg.classList.add('drag');
  picture.pan(dx, dy);
};
picture.svg.onpointerup = () => {
  if (drag && !drag.moved && drag.node >= 0) {
    picture.focus(drag.node);
    choose(drag.node, false);
  }
  picture.svg.classList.remove('drag');
  drag = null;
};
picture.svg.onpointercancel = () => { drag = null; };
picture.svg.addEventListener('wheel', event => {
  event.preventDefault();
  const place = picture.svg.getBoundingClientRect();
  picture.zoom(Math.exp(-event.deltaY * (event.deltaMode ? .05 : .0015)), event.clientX - place.left, event.clientY - place.top);
}, { passive: false });

// -- keys ----------------------------------------------------------------------------------------------------
document.onkeydown = event => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest('input, select')) return;
  const onNode = event.target.closest('.node');
  const does = {
    '0': () => picture.fit(), '+': () => picture.zoom(1.25), '=': () => picture.zoom(1.25), '-': () => picture.zoom(.8),
    '/': () => byId('search').focus(), t: () => byId('show-tree').click(),
    Escape: () => { if (picture.chosen >= 0) choose(-1); },
  }[event.key];
  if (does) {
    does();
  } else if (onNode && event.key.startsWith('Arrow')) {
    const to = picture.next(event.key);
    if (to !== undefined) picture.focus(to);
  } else if (onNode && (event.key === 'Enter' || event.key === ' ')) {
    choose(Number(onNode.dataset.node), false);
  } else {
    return;
  }
  event.preventDefault();
};
picture.svg.addEventListener('focusin', event => { const n = nodeAt(event); if (n >= 0 && n !== picture.focused) picture.focus(n); });
byId('fit').onclick = () => picture.fit();
byId('closer').onclick = () => picture.zoom(1.25);
byId('further').onclick = () => picture.zoom(.8);
byId('close').onclick = () => choose(-1);
byId('show-tree').onclick = () => {
  const hidden = byId('tree').hidden = !byId('tree').hidden;
  byId('show-tree').setAttribute('aria-pressed', String(!hidden));
  picture.fit();
};
window.onresize = () => picture.fit();

// -- theme: the system's, unless somebody chose -------------------------------------------------------------------
const systemIsDark = matchMedia('(prefers-color-scheme: dark)');
function setTheme(theme) {
  page.theme = theme;
  document.documentElement.dataset.theme = theme === 'auto' ? (systemIsDark.matches ? 'dark' : 'light') : theme;
  byId('theme').textContent = 'Theme: ' + theme;
  try { localStorage.setItem('graph theme', theme); } catch { /* a browser that keeps nothing */ }
}
systemIsDark.onchange = () => setTheme(page.theme);
byId('theme').onclick = () => setTheme({ auto: 'light', light: 'dark', dark: 'auto' }[page.theme]);
let kept = null;
try { kept = localStorage.getItem('graph theme'); } catch { /* as above */ }
setTheme(['light', 'dark'].includes(kept) ? kept : 'auto');

// -- several graphs --------------------------------------------------------------------------------------------
async function listGraphs() {
  const names = await ask('graph/list.json').catch(() => []);
  if (names.length < 2) return;
  const select = byId('graphs');
  select.replaceChildren(...names.map(name => new Option(name)));
  select.hidden = false;
  byId('title').hidden = true; // the choice says it
  select.onchange = () => {
    page.graph = select.value;
    page.shape = '';
    choose(-1);
    poll();
  };
}

document.onvisibilitychange = () => { if (!document.hidden) poll(); };
setInterval(showLink, 500);
listGraphs();
poll();
