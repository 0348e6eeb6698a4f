// Looks at pages of the console in a real browser and fails when something is wrong with one of them.
//
//   npm ci --prefix .ci/console
//   node .ci/console/axe.mjs [--out DIR] [--browser FILE] [--header 'NAME: VALUE'] [--key FILE [--crawl]] URL...
//
// --key signs in at the first address with the API key in FILE (its text, or the JSON of `access key create`).
// --crawl begins at the addresses and follows every link on this server, up to four pages of a kind: after
// `bartizan demo --keep DIR` and `bartizan up --data-dir DIR/data` that is every page there is.
//
// Every page is opened at 1440 and 420 pixels, light and dark. It fails on any axe violation (all rules,
// best practices too), on anything the browser complains about (such as a breach of the content security
// policy), on a subresource that does not load, on a page that scrolls sideways, and on text that is cut off
// where the style sheet does not say so; with --crawl also on links that lead nowhere. With --out it leaves a screenshot of each, and one as printed.
//
// Needs Chromium (Debian: `apt-get install chromium`), by default at /usr/bin/chromium. Exit codes:
// 0 all is well, 1 something is wrong, 2 wrong usage.

import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import axe from "axe-core";
import { chromium } from "playwright-core";

const SIZES = [{ width: 1440, height: 1400 }, { width: 420, height: 900 }];
const SCHEMES = ["light", "dark"];
// `--disable-quic` and the like keep the browser from talking to anybody but the pages' server.
const FLAGS = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync",
];

const usage = (message) => {
  console.error(`${message}\nusage: axe.mjs [--out DIR] [--browser FILE] [--header 'NAME: VALUE'] [--key FILE [--crawl]] URL...`);
  process.exit(2);
};

const options = {
  out: { type: "string" },
  browser: { type: "string", default: "/usr/bin/chromium" },
  header: { type: "string", multiple: true, default: [] },
  key: { type: "string" },
  crawl: { type: "boolean", default: false },
};
let parsed;
try {
  parsed = parseArgs({ options, allowPositionals: true });
} catch (error) {
  usage(error.message);
}
const { values, positionals: urls } = parsed;
if (urls.length === 0) usage("no address is given");
const headers = Object.fromEntries(values.header.map((line) => {
  const at = line.indexOf(":");
  if (at < 1) usage(`\`${line}\` is not a header`);
  return [line.slice(0, at).trim(), line.slice(at + 1).trim()];
}));

// Runs in the page: what is wider than the window, and what is cut off by accident.
const layout = () => {
  const problems = [];
  const root = document.documentElement;
  if (root.scrollWidth > root.clientWidth) {
    const wide = [...document.body.querySelectorAll("*")]
      .filter((node) => node.getBoundingClientRect().right > root.clientWidth + 1)
      .map((node) => `${node.tagName.toLowerCase()}.${node.getAttribute("class") ?? ""}`);
    problems.push(`scrolls sideways: ${root.scrollWidth} > ${root.clientWidth}; ${wide.slice(-3).join(", ")}`);
  }
  for (const node of document.querySelectorAll("main *")) {
    const style = getComputedStyle(node);
    const meant = style.overflowX !== "visible" || style.display === "inline" || node.closest(".unseen, svg, thead");
    if (!meant && node.clientWidth > 0 && node.scrollWidth > node.clientWidth + 1) {
      const inside = [...node.children].some((child) => child.scrollWidth > child.clientWidth + 1);
      if (!inside) problems.push(`text leaves its box: <${node.tagName.toLowerCase()} class="${node.className}">`);
    }
  }
  return problems;
};

// Signs in as somebody who has the key, and returns what the browser then keeps.
const signIn = async (browser, url, file) => {
  const text = (await readFile(file, "utf8")).trim();
  const key = text.startsWith("{") ? JSON.parse(text).key : text;
  const context = await browser.newContext({ extraHTTPHeaders: headers });
  const page = await context.newPage();
  await page.goto(new URL("/signin", url).href);
  await page.fill("#key", key);
  await Promise.all([page.waitForURL((now) => now.pathname !== "/signin"), page.click("button")]);
  const state = await context.storageState();
  await context.close();
  return state;
};

// The kind of page that an address leads to: names and numbers do not matter, nor where in a list it begins.
const kind = ({ pathname, searchParams }) => {
  const [, first, ...rest] = pathname.split("/");
  const shown = searchParams.get("show") ?? "";
  return `${first}/${rest.length} ${shown} ${searchParams.has("before") || searchParams.has("after")}`;
};

// Every page that links lead to from these, a few of each kind, and the links that lead nowhere.
const crawl = async (browser, storageState, from) => {
  const context = await browser.newContext({ extraHTTPHeaders: headers, storageState });
  const page = await context.newPage();
  const pages = [...from];
  const known = new Set(pages);
  const kinds = new Map();
  const dead = [];
  for (const url of pages) {
    const response = await page.goto(url, { waitUntil: "load" });
    if (!response.ok()) dead.push(`${url} is a link that leads to ${response.status()}`);
    const hrefs = await page.evaluate(() => [...document.links].map((link) => link.href));
    for (const href of hrefs) {
      const link = new URL(href);
      link.hash = "";
      const many = kinds.get(kind(link)) ?? 0;
      if (link.origin !== new URL(url).origin || known.has(link.href) || many >= 4) continue;
      kinds.set(kind(link), many + 1);
      known.add(link.href);
      pages.push(link.href);
    }
  }
  await context.close();
  return { pages, dead };
};

const look = async (browser, storageState, url, size, colorScheme) => {
  const context = await browser.newContext({ viewport: size, colorScheme, extraHTTPHeaders: headers, storageState });
  const page = await context.newPage();
  const problems = [];
  const main = new Set([url]);
  page.on("console", (message) => {
    const ofThePage = main.has(message.location().url);
    const statusOfThePage = ofThePage && message.text().startsWith("Failed to load resource");
    if (message.type() === "error" && !statusOfThePage) problems.push(`console: ${message.text()}`);
  });
  page.on("pageerror", (error) => problems.push(`script: ${error.message}`));
  page.on("requestfailed", (request) => {
    // Events go on until the page is closed.
    if (request.resourceType() !== "eventsource") problems.push(`not loaded: ${request.url()}`);
  });
  page.on("response", (response) => {
    if (response.status() >= 400 && !main.has(response.url())) {
      problems.push(`status ${response.status()}: ${response.url()}`);
    }
  });
  await page.goto(url, { waitUntil: "load" });
  problems.push(...await page.evaluate(layout));
  await page.evaluate(axe.source);
  const found = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  for (const violation of found.violations) {
    for (const node of violation.nodes) {
      problems.push(`axe ${violation.id}: ${node.target.join(" ")}\n    ${node.failureSummary?.replaceAll("\n", "\n    ")}`);
    }
  }
  if (values.out) {
    const { pathname, search } = new URL(url);
    const name = `${pathname}${search}`.replaceAll(/[^a-zA-Z0-9]+/g, "-").replaceAll(/^-|-$/g, "") || "root";
    await page.screenshot({ path: join(values.out, `${name}-${size.width}-${colorScheme}.png`), fullPage: true });
    if (size === SIZES[0] && colorScheme === "light") {
      await page.pdf({ path: join(values.out, `${name}.pdf`), format: "A4", printBackground: false });
    }
  }
  await context.close();
  return { problems, rules: found.passes.length };
};

if (values.out) await mkdir(values.out, { recursive: true });
const browser = await chromium.launch({ executablePath: values.browser, args: FLAGS });
const state = values.key ? await signIn(browser, urls[0], values.key) : undefined;
const { pages, dead } = values.crawl ? await crawl(browser, state, urls) : { pages: urls, dead: [] };
for (const link of dead) console.log(`WRONG  ${link}`);
let wrong = dead.length;
for (const url of pages) {
  for (const size of SIZES) {
    for (const scheme of SCHEMES) {
      const { problems, rules } = await look(browser, state, url, size, scheme);
      console.log(`${problems.length === 0 ? "ok" : "WRONG"}  ${url}  ${size.width} ${scheme}  (${rules} axe rules passed)`);
      for (const problem of problems) console.log(`  ${problem}`);
      wrong += problems.length;
    }
  }
}
await browser.close();
process.exit(wrong === 0 ? 0 : 1);
