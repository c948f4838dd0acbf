// The status page in a true Chromium, beside a run: progress moves without reading the page again, figures are those of
// the API, nothing is asked of other hosts, the console stays silent, and axe finds nothing to complain of.
//
// node page.mjs BINARY [FOLDER FOR SCREENSHOTS]; playwright-core, axe-core and Chromium have to be there.

import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import assert from "node:assert/strict";

const require = createRequire(join(process.cwd(), "here.js"));
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const [binary, shots] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), "sv-page-"));
const children = [];

// Starts the program and waits for a line on one of its streams; gives what stands in it.
function start(args, pattern) {
  const child = spawn(binary, args, { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
  children.push(child);
  return new Promise((found, failed) => {
    let said = "";
    const hear = (data) => {
      said += data;
      const match = said.match(pattern);
      if (match) found(match[1]);
    };
    child.stdout.on("data", hear);
    child.stderr.on("data", hear);
    child.on("exit", (code) => failed(new Error(`${args[0]} ended with ${code}: ${said}`)));
  });
}

async function check(browser, base, language, scheme, width) {
  const name = `${language}-${scheme}-${width}`;
  const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme: scheme, locale: language });
  const page = await context.newPage();
  const complaints = [], foreign = [], navigations = [];
  page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("request", (request) => request.url().startsWith(base) || foreign.push(request.url()));
  page.on("framenavigated", (frame) => navigations.push(frame.url()));

  await page.goto(base, { waitUntil: "load" });
  assert.equal(await page.getAttribute("html", "lang"), language);
  await page.click("article form button");
  const settled = page.locator('[data-field^="rows_settled@"]');
  await settled.waitFor();
  const before = navigations.length;
  const first = Number((await settled.textContent()).replace(/\D/g, ""));
  await page.waitForFunction((first) => {
    const place = document.querySelector('[data-field^="rows_settled@"]');
    return place && Number(place.textContent.replace(/\D/g, "")) > first + 5;
  }, first);
  await shoot(page, `running-${name}`);
  await accessible(page, `running ${name}`);
  await page.waitForFunction(() => document.querySelector("progress") === null);
  assert.equal(navigations.length, before, "the page was not read again by the browser");

  const job = (await (await context.request.get(`${base}api/v1/jobs`)).json())[0];
  const report = job.last_run.report;
  const line = (await page.locator("article dl").first().textContent()).replace(/[\u00a0,](?=\d{3})/g, "");
  for (const figure of ["rows_read", "rows_valid", "rows_invalid", "rows_not_checked"]) {
    assert.match(line, new RegExp(`(^|\\D)${report[figure]}(\\D|$)`), `${figure} of ${line}`);
  }
  await shoot(page, `overview-${name}`);
  await accessible(page, `overview ${name}`);
  for (const [what, path] of [
    ["run", `runs/${job.last_run.run_id}`],
    ["job", `jobs/${job.name}`],
    ["row", `rows/${job.name}/${encodeURIComponent((await (await context.request.get(`${base}api/v1/rows?limit=1`)).json())[0].key)}`],
  ]) {
    await page.goto(base + path, { waitUntil: "load" });
    await shoot(page, `${what}-${name}`);
    await accessible(page, `${what} ${name}`);
  }
  assert.deepEqual(complaints, [], "the console is silent");
  assert.deepEqual(foreign, [], "nothing is asked of other hosts");
  await keyboard(page, base);
  await context.close();
  console.log(`${name}: progress moved, figures agree, no complaint, nothing foreign, axe content`);
}

async function shoot(page, name) {
  const sideways = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(sideways <= 0, `${name} scrolls sideways by ${sideways}`);
  if (shots) await page.screenshot({ path: join(shots, `${name}.png`), fullPage: true });
}

// The policy of the page forbids scripts of others, so axe is evaluated, not loaded.
async function accessible(page, name) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document));
  const told = violations.map((v) => `${v.id}: ${v.nodes.map((node) => node.html).join(" ")}`);
  assert.deepEqual(told, [], name);
}

// The first stop is the way past the header, and everything that can be done is reached.
async function keyboard(page, base) {
  await page.goto(base, { waitUntil: "load" });
  const stops = [];
  for (let n = 0; n < 8; n += 1) {
    await page.keyboard.press("Tab");
    stops.push(await page.evaluate(() => document.activeElement.className || document.activeElement.tagName));
  }
  assert.equal(stops[0], "skip");
  assert.ok(stops.includes("BUTTON"), `${stops}`);
}

// Without a script the page is whole, and the form works.
async function withoutScript(browser, base) {
  const context = await browser.newContext({ javaScriptEnabled: false });
  const page = await context.newPage();
  await page.goto(base);
  await page.click("article form button");
  assert.equal(new URL(page.url()).pathname, "/");
  assert.equal(await page.locator("progress").count(), 1);
  await context.close();
  console.log("without a script: the form starts a run, and the page shows it");
}

try {
  const sandbox = await start(["sandbox", "--listen", "127.0.0.1:0", "--dir", folder, "--latency", "300ms~0.3"], /settings in (.*)/);
  // Each run asks anew, so that there is something to see.
  const settings = readFileSync(sandbox.trim(), "utf8").replace(/cache_path = .*/, "");
  let n = 0;
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
      "--disable-component-update", "--disable-sync"],
  });
  const serve = async (use) => {
    n += 1;
    const file = join(folder, `serve-${n}.toml`);
    writeFileSync(file, `cache_path = "store-${n}.sqlite"\n${settings}`);
    const base = await start(["--config", file, "serve", "--listen", "127.0.0.1:0"], /status at (\S+)/);
    await use(base);
    const child = children.pop();
    child.removeAllListeners("exit");
    const ended = new Promise((done) => child.on("exit", done));
    child.kill("SIGTERM");
    await ended;
  };
  for (const [language, scheme, width] of [["en", "light", 1280], ["ru", "dark", 1280], ["ru", "light", 360], ["en", "dark", 360]]) {
    await serve((base) => check(browser, base, language, scheme, width));
  }
  await serve((base) => withoutScript(browser, base));
  await browser.close();
} finally {
  for (const child of children) {
    child.removeAllListeners("exit");
    child.kill("SIGTERM");
  }
}
