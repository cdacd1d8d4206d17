/**
 * Goal: the page of a large cluster is usable by keyboard, on a phone, in both themes, under its strict policy.
 * Method: the server's own routes over a deployment that is made up, a hundred nodes of it, in Debian's Chromium.
 */
import { dirname, join } from 'node:path';
import type { Server } from 'node:http';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createApp } from '../../src/dashboard/app.ts';
import { loadAssets } from '../../src/dashboard/assets.ts';
import { Guard } from '../../src/dashboard/guard.ts';
import { addToHistory, emptyHistory } from '../../src/dashboard/history.ts';
import { listening } from '../../src/tools/metrics/index.ts';
import { launchBrowser } from '../interop/harness/browser.ts';
import { freePorts } from '../interop/harness/node-process.ts';
import { SLOTLINE, describeWithBrowser } from '../interop/harness/programs.ts';
import { SyntheticDeployment } from './synthetic-deployment.ts';

const MASTERS = 34;
const NODES = 3 * MASTERS;
const BIND = '127.0.0.1';
const LOOKS_BEFORE = 120;

let server: Server;
let browser: Browser;
let url: string;
const deployment = new SyntheticDeployment(MASTERS);
const ending = new AbortController();
const complaints: string[] = [];

describeWithBrowser('the page of a hundred nodes', () => {
  beforeAll(async () => {
    const [port = 0] = await freePorts(1);
    const history = emptyHistory();
    for (let look = 0; look < LOOKS_BEFORE; look++) {
      deployment.tick();
      addToHistory(history, deployment.snapshot);
    }
    const app = createApp({
      version: '0',
      seeds: [],
      watcher: deployment,
      guard: new Guard({ bind: BIND, port, hosts: [], allowsActions: false }),
      actions: undefined,
      assets: loadAssets(join(dirname(SLOTLINE), '..', 'dashboard', 'page')),
      hello: () => ({
        snapshot: deployment.snapshot,
        events: deployment.events,
        history,
        run: undefined,
      }),
      onRun: () => () => undefined,
      ending: ending.signal,
    });
    server = await listening(app.fetch, { bind: BIND, port });
    url = `http://${BIND}:${port}/`;
    browser = await launchBrowser();
  });
  afterAll(async () => {
    ending.abort();
    await browser.close();
    server.closeAllConnections();
    await new Promise((resolve) => void server.close(resolve));
  });

  test('every node is there, and arrows go from one to the next', async () => {
    const page = await open({ width: 1400, height: 900 });
    await page
      .getByRole('option')
      .nth(NODES - 1)
      .waitFor();
    expect(await page.getByRole('option').count()).toBe(NODES);
    await page.getByRole('option').first().focus();
    await page.keyboard.press('ArrowDown');
    await page.getByRole('heading', { name: '10.0.0.2:7000' }).waitFor();
    await page.keyboard.press('End');
    await page.getByRole('heading', { name: `10.0.${MASTERS - 1}.3:7000` }).waitFor();
    expect(await page.locator('[role=option][aria-selected=true]').count()).toBe(1);
    await page.getByLabel(/^Slot map/).focus();
    await page.keyboard.press('ArrowDown');
    await page.getByText('slot 256: 10.0.0.1:7000').waitFor();
    await page.close();
  });

  test('what happens comes by itself', async () => {
    const page = await open({ width: 1400, height: 900 });
    await page.getByRole('option').first().waitFor();
    const events = page.locator('li[data-kind=vote]');
    await events.nth(LOOKS_BEFORE - 1).waitFor();
    deployment.tick();
    await events.nth(LOOKS_BEFORE).waitFor();
    await page.close();
  });

  test('a phone shows all of it without scrolling sideways, and the theme is as chosen', async () => {
    const page = await open({ width: 360, height: 740 });
    await page.getByRole('option').first().waitFor();
    const root = 'document.documentElement';
    expect(await page.evaluate(`${root}.scrollWidth - ${root}.clientWidth`)).toBe(0);
    const ground = (): Promise<unknown> =>
      page.evaluate(`getComputedStyle(${root}).backgroundColor`);
    const light = await ground();
    await page.emulateMedia({ colorScheme: 'dark' });
    const dark = await ground();
    expect(dark).not.toBe(light);
    const button = page.getByRole('button', { name: /^Colours/ });
    await button.click();
    expect(await ground()).toBe(light);
    await page.reload();
    await page.getByRole('option').first().waitFor();
    expect(await ground()).toBe(light);
    await page.close();
    expect(complaints).toEqual([]);
  });
});

async function open(viewport: { readonly width: number; readonly height: number }): Promise<Page> {
  const page = await browser.newPage({ viewport, colorScheme: 'light' });
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  await page.goto(url);
  return page;
}
