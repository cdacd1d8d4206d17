/**
 * Goal: the dashboard shows what happens to a cluster and can switch it over, and nobody else can.
 * Method: real masters with replicas of ours, the program as it is installed, and Debian's Chromium, driven by Playwright.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { launchBrowser } from '../interop/harness/browser.ts';
import { Cluster } from '../interop/harness/cluster.ts';
import { freePorts } from '../interop/harness/node-process.ts';
import {
  OUR_SERVER,
  REAL_SERVER,
  SLOTLINE,
  describeWithBrowser,
} from '../interop/harness/programs.ts';
import { type Running, startSlotline } from '../interop/harness/slotline.ts';
import { until } from '../interop/harness/until.ts';

const BOUND_MS = 20_000;
const PAGE_BYTES_MAX = 150_000;

let cluster: Cluster;
let running: Running;
let browser: Browser;
let page: Page;
/** With the token. */
let url: string;
const complaints: string[] = [];

describeWithBrowser('the dashboard', () => {
  beforeAll(async () => {
    const [port = 0] = await freePorts(1);
    // One after the other: together they are too much for a busy machine.
    cluster = await Cluster.start({
      masters: 3,
      replicasPerMaster: 1,
      exeOf: (index) => (index < 3 ? (REAL_SERVER ?? OUR_SERVER) : OUR_SERVER),
    });
    browser = await launchBrowser();
    const seed = address(0);
    running = startSlotline('dashboard', seed, '--port', String(port), '--interval', '200');
    url = await until(
      () => /http:\S+/.exec(running.stdout())?.[0],
      BOUND_MS,
      'the dashboard says its URL',
    );
    page = await browser.newPage();
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text());
    });
  });
  afterAll(async () => {
    running.child.kill('SIGTERM');
    await Promise.all([browser.close(), cluster.stop()]);
    expect((await running.result).status).toBe(0);
  });

  test('the page is small, and shows every node and its role', async () => {
    const folder = join(dirname(SLOTLINE), '..', 'dashboard', 'page', 'assets');
    const sizes = readdirSync(folder).map(
      (name) => gzipSync(readFileSync(join(folder, name))).length,
    );
    expect(sizes.reduce((a, b) => a + b, 0)).toBeLessThan(PAGE_BYTES_MAX);
    await page.goto(url);
    await row(0).waitFor();
    expect(page.url()).not.toContain('token');
    expect(await page.locator('[data-role=master]').count()).toBe(3);
    expect(await page.locator('[data-role=replica]').count()).toBe(3);
    await page.getByText('All is well', { exact: true }).waitFor();
  });

  test('a switchover is planned, shown, and carried out by click', async () => {
    await row(1).click();
    await page.getByRole('button', { name: 'Switch over this shard…' }).click();
    const plan = page.getByRole('list', { name: 'Plan' });
    await plan.waitFor();
    expect(await plan.innerText()).toContain(
      `hand over from ${address(1)} to its replica ${address(4)}`,
    );
    expect(await cluster.isMaster(cluster.node(1))).toBe(true);
    await page.getByRole('button', { name: 'Carry out this plan' }).click();
    await page.getByText('Done', { exact: true }).waitFor({ timeout: BOUND_MS });
    await page.getByRole('button', { name: 'Close', exact: true }).click();
    expect(await cluster.isMaster(cluster.node(4))).toBe(true);
    await event('promoted', address(4)).waitFor();
    await page.locator(`[data-address="${address(4)}"][data-role=master]`).waitFor();
  });

  test('a killed master appears, and its failover stands on the time line', async () => {
    await cluster.node(0).kill();
    await page.locator(`[data-address="${address(0)}"][data-health=fail]`).waitFor({
      timeout: BOUND_MS,
    });
    await event('promoted', address(3)).waitFor({ timeout: BOUND_MS });
    await event('fail', address(0)).waitFor();
    await page.locator('li[data-kind=vote]').first().waitFor();
    await page.locator('li[data-kind=epoch]').first().waitFor();
    await page.locator(`[data-address="${address(3)}"][data-role=master]`).waitFor();
  });

  test('nobody acts without the token, from another page, or under a foreign name', async () => {
    const { origin, host } = new URL(url);
    const post = (headers: Record<string, string>): Promise<Response> =>
      fetch(`${origin}/api/plan`, {
        method: 'POST',
        body: '{}',
        headers: { 'content-type': 'application/json', ...headers },
      });
    expect((await post({ origin })).status).toBe(403);
    const cookies = await page.context().cookies();
    const cookie = cookies.map(({ name, value }) => `${name}=${value}`).join('; ');
    expect((await post({ origin, cookie })).status).toBe(403);
    const session = await fetch(`${origin}/api/session`, { headers: { cookie } });
    const { csrf } = (await session.json()) as { readonly csrf: string };
    const mine = { cookie, 'x-slotline-csrf': csrf };
    expect((await post({ ...mine, origin: 'http://elsewhere.example' })).status).toBe(403);
    expect((await post(mine)).status).toBe(403);
    expect((await post({ ...mine, origin })).status).toBe(409);
    expect(host).toContain('127.0.0.1');
    expect(complaints).toEqual([]);
  });
});

function address(index: number): string {
  return `127.0.0.1:${cluster.node(index).port}`;
}

function row(index: number) {
  return page.locator(`[data-address="${address(index)}"]`);
}

function event(kind: string, node: string) {
  return page.locator(`li[data-kind=${kind}]`, { hasText: node }).first();
}
