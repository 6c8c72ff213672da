"use strict";
// Chooses mentions: by the form, or by a click on a cell of a table. A mention is a verdict: a row of
// the data below, whose marks in the text carry its number.
(() => {
  const byId = (id) => document.getElementById(id);
  const data = JSON.parse(byId("data").textContent);
  const [form, status, list, more, back, texts] =
    ["filters", "status", "mentions", "more", "back", "texts"].map(byId);
  const RIGHT = data.kinds.indexOf("right");
  const PAGE = 50;
  const CONTEXT = 70;

  const articles = data.articles.map((rows, number) => {
    const element = byId(`a${number}`);
    const mentions = rows.map(([kind, label, pairs, score, slices, words], i) => (
      { kind, label, pairs, score, slices: new Set(slices), words, id: `m${number}-${i}`, parts: [] }
    ));
    const parts = [...element.querySelectorAll("[data-v]")].map((part) => {
      const own = part.dataset.v.split(" ").map((n) => mentions[n]);
      for (const mention of own) mention.parts.push(part);
      return { part, own };
    });
    const wrong = mentions.filter((m) => m.kind !== RIGHT).length;
    return { number, element, name: element.querySelector("h3").textContent, mentions, parts, wrong };
  });
  const total = articles.reduce((sum, article) => sum + article.mentions.length, 0);

  let chosen = [];
  let shown = 0;
  let cameFrom = null;

  const number = (value) => {
    const read = parseFloat(value);
    return Number.isNaN(read) ? null : read / 100;
  };

  // What the form asks for, as one test of a mention; null where it asks for nothing.
  function wish() {
    const { label, kind, pair, slice, words, from, to } = Object.fromEntries(new FormData(form));
    const tests = [];
    const add = (test) => tests.push(test);
    if (label) add((m) => data.labels[m.label] === label);
    if (kind === "wrong") add((m) => m.kind !== RIGHT);
    else if (kind) add((m) => data.kinds[m.kind] === kind);
    if (pair) add((m) => m.pairs.includes(data.pairs.indexOf(pair)));
    if (slice) add((m) => m.slices.has(Number(slice)));
    const exact = /^"(.+)"$/s.exec(words);
    const wanted = words.trim().toLowerCase();
    if (exact) add((m) => flat(m.words) === exact[1]);
    else if (wanted) add((m) => extent(m).toLowerCase().includes(wanted));
    const [low, high] = [number(from), number(to)];
    if (low !== null) add((m) => m.score !== null && m.score >= low);
    if (high !== null) add((m) => m.score !== null && m.score <= high);
    return tests.length ? (m) => tests.every((test) => test(m)) : null;
  }

  // All words of a mention, as people or the model marked it.
  const extent = (mention) =>
    mention.parts.filter((part) => part.tagName === "MARK").map((part) => part.textContent).join("");

  // A text field holds no line breaks.
  const flat = (words) => words.replace(/[\r\n]/g, "");

  function apply() {
    const test = wish();
    const view = form.elements.view.value;
    chosen = [];
    let among = 0;
    for (const article of ordered()) {
      const fitting = new Set(test ? article.mentions.filter(test) : article.mentions);
      chosen.push(...[...fitting].map((mention) => ({ article, mention })));
      among += fitting.size > 0;
      article.element.hidden = test !== null && !fitting.size;
      for (const { part, own } of article.parts) {
        part.classList.toggle("off", !own.some((mention) => fitting.has(mention)));
      }
    }
    status.textContent = test
      ? `${count(chosen.length, "mention")} of ${total.toLocaleString("en")}, in ${count(among, "article")} of ${articles.length}`
      : `All ${count(total, "mention")} of ${count(articles.length, "article")}`;
    texts.hidden = view === "mentions";
    list.hidden = view !== "mentions";
    list.replaceChildren();
    shown = 0;
    more.hidden = true;
    if (view === "mentions") showMore();
  }

  const count = (n, noun) => `${n.toLocaleString("en")} ${noun}${n === 1 ? "" : "s"}`;

  function ordered() {
    const order = form.elements.order.value;
    const sorted = order === "wrong"
      ? [...articles].sort((a, b) => b.wrong - a.wrong || a.number - b.number)
      : articles;
    if (texts.dataset.order !== order) {
      texts.append(...sorted.map((article) => article.element));
      texts.dataset.order = order;
    }
    return sorted;
  }

  function showMore() {
    const next = chosen.slice(shown, shown + PAGE);
    const lines = next.map(({ article, mention }) => line(article, mention));
    list.append(...lines);
    shown += next.length;
    more.hidden = shown >= chosen.length;
    more.textContent = `Show more of the ${count(chosen.length - shown, "other")}`;
    return lines[0];
  }

  // A mention with the words around it, which leads to its place.
  function line(article, mention) {
    const item = document.createElement("li");
    const link = document.createElement("a");
    link.href = `#${mention.id}`;
    const text = article.element.querySelector(".text");
    const around = document.createElement("div");
    around.className = "text";
    around.dir = "auto";
    if (text.lang) around.lang = text.lang;
    const [first, last] = [mention.parts[0], mention.parts.at(-1)];
    const before = plain(text, (range) => range.setEndBefore(first));
    const after = plain(text, (range) => range.setStartAfter(last));
    around.append(before.length > CONTEXT ? `… ${before.slice(-CONTEXT).replace(/^\S*\s+/, "")}` : before);
    for (const part of mention.parts) {
      const copy = part.cloneNode(true);
      copy.removeAttribute("data-v");
      copy.classList.remove("off", "here");
      around.append(copy);
    }
    around.append(after.length > CONTEXT ? `${after.slice(0, CONTEXT).replace(/\s+\S*$/, "")} …` : after);
    const about = document.createElement("small");
    const score = mention.score === null ? "" : `, score ${(100 * mention.score).toFixed(1)}`;
    about.textContent = `${article.name}${score}`;
    link.append(around, about);
    item.append(link);
    return item;
  }

  // The words of a part of an article, without the names of labels.
  function plain(text, cut) {
    const range = document.createRange();
    range.selectNodeContents(text);
    cut(range);
    const copy = range.cloneContents();
    for (const chip of copy.querySelectorAll(".chip")) chip.remove();
    return copy.textContent;
  }

  function showMention(id) {
    const [, article, place] = /^m(\d+)-(\d+)$/.exec(id) ?? [];
    const mention = articles[article]?.mentions[place];
    if (!mention) return;
    form.elements.view.value = "articles";
    apply();
    articles[article].element.hidden = false;
    for (const part of document.querySelectorAll(".here")) part.classList.remove("here");
    for (const part of mention.parts) part.classList.add("here");
    const first = mention.parts[0];
    first.tabIndex = -1;
    first.focus({ preventScroll: true });
    first.scrollIntoView({ block: "center" });
    history.replaceState(null, "", `#${id}`);
  }

  document.addEventListener("click", (event) => {
    const cell = event.target.closest("button[data-kind]");
    const link = event.target.closest("#mentions a");
    if (cell) {
      form.reset();
      for (const name of ["label", "kind", "pair", "slice"]) {
        if (form.elements[name]) form.elements[name].value = cell.dataset[name] ?? "";
      }
      if (cell.dataset.words) form.elements.words.value = `"${flat(cell.dataset.words)}"`;
      form.elements.view.value = "mentions";
      apply();
      cameFrom = cell;
      back.hidden = false;
      byId("articles").scrollIntoView();
      status.focus({ preventScroll: true });
    } else if (link) {
      event.preventDefault();
      showMention(link.hash.slice(1));
    }
  });
  back.addEventListener("click", () => {
    cameFrom.focus({ preventScroll: true });
    cameFrom.scrollIntoView({ block: "center" });
    back.hidden = true;
  });
  more.addEventListener("click", () => showMore()?.querySelector("a").focus());
  form.addEventListener("input", apply);
  form.addEventListener("submit", (event) => event.preventDefault());
  byId("again").addEventListener("click", () => {
    form.reset();
    apply();
  });

  // Paper cannot be clicked: what is folded is printed too.
  let folded = [];
  addEventListener("beforeprint", () => {
    folded = [...document.querySelectorAll("details:not([open])")];
    for (const part of folded) part.open = true;
  });
  addEventListener("afterprint", () => {
    for (const part of folded) part.open = false;
  });

  document.documentElement.classList.add("live");
  form.hidden = false;
  apply();
  showMention(location.hash.slice(1)); // the address of a mention that somebody passed on
})();
