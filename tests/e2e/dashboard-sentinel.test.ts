/**
 * Goal: the dashboard moves the master that Sentinels watch, and shows migrations and comparisons of its nodes.
 * Method: a master, replicas and Sentinels of ours, the program as it is installed, and Chromium on a phone's width.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { launchBrowser } from '../interop/harness/browser.ts';
import { NodeProcess, freePorts } from '../interop/harness/node-process.ts';
import { OUR_SENTINEL, OUR_SERVER, describeWithBrowser } from '../interop/harness/programs.ts';
import { MASTER_NAME, Sentinels } from '../interop/harness/sentinels.ts';
import { type Running, startSlotline } from '../interop/harness/slotline.ts';
import { until } from '../interop/harness/until.ts';

const BOUND_MS = 20_000;
const PHONE = { width: 360, height: 740 };
const KEYS = 80;

let set: Sentinels;
let empty: NodeProcess;
const dir = mkdtempSync(join(tmpdir(), 'slotline-moved-'));
let running: Running;
let browser: Browser;
let page: Page;
const complaints: string[] = [];

describeWithBrowser('the dashboard of Sentinels', () => {
  beforeAll(async () => {
    set = await Sentinels.start({
      node: OUR_SERVER,
      sentinels: [OUR_SENTINEL, OUR_SENTINEL, OUR_SENTINEL],
    });
    browser = await launchBrowser();
    const [port = 0, emptyPort = 0] = await freePorts(2);
    empty = new NodeProcess({ exe: OUR_SERVER, port: emptyPort, dir: join(dir, 'empty') });
    await empty.start();
    const seed = address(set.sentinels[0]);
    running = startSlotline('dashboard', seed, '--port', String(port), '--interval', '200');
    const url = await until(
      () => /http:\S+/.exec(running.stdout())?.[0],
      BOUND_MS,
      'the dashboard says its URL',
    );
    page = await browser.newPage({ viewport: PHONE });
    page.on('pageerror', (error) => complaints.push(error.message));
    await page.goto(url);
  });
  afterAll(async () => {
    running.child.kill('SIGTERM');
    await Promise.all([browser.close(), set.stop(), empty.kill()]);
    expect((await running.result).status).toBe(0);
    rmSync(dir, { recursive: true, force: true });
  });

  test('a migration that runs is shown', async () => {
    const [from, to] = [address(set.master), address(empty)];
    const moving = startSlotline('migrate', 'run', from, to, '--dir', join(dir, 'migration'));
    await page.getByText(`migration of ${from} to ${to}: following`).waitFor({ timeout: BOUND_MS });
    moving.child.kill('SIGTERM');
    expect((await moving.result).status).toBe(0);
    await page.getByText(/^migration of/).waitFor({ state: 'detached' });
  });

  test('a comparison that runs is shown with its progress', async () => {
    const [master, replica] = set.nodes;
    for (let n = 0; n < KEYS; n++) await master?.call('SET', `key:${n}`, n);
    const [from, to] = [address(master), address(replica)];
    const comparing = startSlotline('verify', from, to, '--rate', String(KEYS));
    await page.getByText(`comparison of ${from} with ${to}: round 1`).waitFor();
    await page.getByRole('progressbar').waitFor();
    const root = 'document.documentElement';
    expect(await page.evaluate(`${root}.scrollWidth - ${root}.clientWidth`)).toBe(0);
    expect((await comparing.result).status).toBe(0);
    await page.getByText(/^comparison of/).waitFor({ state: 'detached' });
  });

  test('a switchover is planned, shown, and carried out from the keyboard', async () => {
    const before = address(set.master);
    await page.locator(`[data-address="${before}"]`).focus();
    const button = page.getByRole('button', { name: `Switch over ${MASTER_NAME}…` });
    await page.keyboard.press('Enter');
    await button.focus();
    await page.keyboard.press('Enter');
    const plan = page.getByRole('list', { name: 'Plan' });
    await plan.waitFor();
    expect(await plan.innerText()).toContain(`${MASTER_NAME}: ${before} hands over to one of`);
    await page.getByText('No write is lost').waitFor();
    await page.getByRole('button', { name: 'Carry out this plan' }).focus();
    await page.keyboard.press('Enter');
    await page.getByText('Done', { exact: true }).waitFor({ timeout: BOUND_MS });
    await page.keyboard.press('Escape');
    const after = await set.masterPort(set.sentinels[0]!);
    expect(`127.0.0.1:${after}`).not.toBe(before);
    await page.locator(`[data-address="127.0.0.1:${after}"][data-role=master]`).waitFor();
    expect(complaints).toEqual([]);
  });
});

function address(node: { readonly port: number } | undefined): string {
  return `127.0.0.1:${node?.port}`;
}
