// browser: headless Chromium on a grid, for the tests of the pages.
//
//   const browser = await openBrowser(grid);
//   const page = await browser.page({ phone: true, theme: 'dark' });
//   assert.deepEqual(await page.axe(), []);
//   assert.deepEqual(page.problems, []);
//
// A page has Playwright's methods and: goto(path) relative to the grid, axe()
// with the violations found, overflow() in pixels, and "problems": everything
// that the console or the content security policy complained about. clean()
// closes all pages: their live streams cost what the next test needs.

import fs from 'node:fs';
import { createRequire } from 'node:module';
import { chromium } from 'playwright-core';

const require = createRequire(import.meta.url);
const axeSource = fs.readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
const FLAGS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic',
  '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync'];

export const DESK = { width: 1280, height: 800 };
export const PHONE = { width: 360, height: 740 };

function findChromium() {
  const places = [process.env.FIELDGRID_CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser'];
  const found = places.find((place) => place && fs.existsSync(place));
  if (!found) throw new Error('no chromium; on Debian: apt-get install chromium');
  return found;
}

async function axe(page) {
  await page.evaluate(axeSource); // not a script element: the CSP stays on
  const { violations } = await page.evaluate(() => globalThis.axe.run());
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(' | ')}`);
}

/** CSS pixels by which the page is wider than the window. */
function overflow(page) {
  return page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
}

export async function openBrowser(grid) {
  const browser = await chromium.launch({ executablePath: findChromium(), args: FLAGS });
  let session;

  async function page({ phone = false, theme = 'light', login = true, cookie, ...options } = {}) {
    const context = await browser.newContext({
      baseURL: grid.url,
      ignoreHTTPSErrors: true, // the authority is the grid's own
      viewport: phone ? PHONE : DESK,
      hasTouch: phone,
      isMobile: phone,
      colorScheme: theme,
      locale: 'en-GB',
      timezoneId: 'Europe/Vienna',
      ...options,
    });
    if (login) {
      const header = cookie ?? (session ??= await grid.logIn());
      await context.addCookies(header.split('; ').map((pair) => {
        const [name, value] = pair.split(/=(.*)/s, 2);
        return { name, value, url: grid.url, secure: true, httpOnly: true };
      }));
    }
    context.setDefaultTimeout(60_000);
    const tab = await context.newPage();
    tab.problems = [];
    tab.on('console', (message) => {
      if (message.type() === 'error') tab.problems.push(message.text());
    });
    tab.on('pageerror', (error) => tab.problems.push(String(error)));
    tab.axe = () => axe(tab);
    tab.overflow = () => overflow(tab);
    return tab;
  }

  return {
    page,
    clean: () => Promise.all(browser.contexts().map((context) => context.close())),
    close: () => browser.close(),
  };
}
