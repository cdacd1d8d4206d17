/**
 * Goal: `slotline up --sentinel` serves a page with its master, replicas and Sentinels, from which the master is moved.
 * Method: the program as it is installed, and Chromium.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { launchBrowser } from '../interop/harness/browser.ts';
import { freePortsInARow } from '../interop/harness/node-process.ts';
import { describeWithBrowser } from '../interop/harness/programs.ts';
import { startSlotline } from '../interop/harness/slotline.ts';
import { until } from '../interop/harness/until.ts';

const BOUND_MS = 30_000;
/** Three nodes, three Sentinels, and the page. */
const PORTS = 7;

describeWithBrowser('the page of slotline up --sentinel', () => {
  test('it shows who is there, and a click hands the master over', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'slotline-up-page-'));
    const port = await freePortsInARow(PORTS);
    const place = ['--dir', dir, '--port', port, '--dashboard-port', port + PORTS - 1];
    const run = startSlotline('up', '--sentinel', ...place.map(String));
    const browser = await launchBrowser();
    try {
      const url = await until(
        () => /http:\S+/.exec(run.stdout())?.[0],
        BOUND_MS,
        'it says where the page is',
      );
      const page = await browser.newPage();
      await page.goto(url);
      const at = (index: number): string => `[data-address="127.0.0.1:${port + index}"]`;
      await page.locator(`${at(0)}[data-role=master]`).waitFor({ timeout: BOUND_MS });
      for (const index of [1, 2]) await page.locator(`${at(index)}[data-role=replica]`).waitFor();
      const sentinels = page.getByRole('list', { name: 'Sentinels' });
      for (const index of [3, 4, 5])
        await sentinels.getByText(`127.0.0.1:${port + index}`).waitFor();
      await page.locator(at(0)).click();
      await page.getByRole('button', { name: 'Switch over mymaster…' }).click();
      await page.getByRole('button', { name: 'Carry out this plan' }).click();
      await page.getByText('Done', { exact: true }).waitFor({ timeout: BOUND_MS });
      await page.keyboard.press('Escape');
      await page.locator(`${at(0)}[data-role=replica]`).waitFor({ timeout: BOUND_MS });
      await page.locator('[data-role=master]').waitFor();
    } finally {
      run.child.kill('SIGTERM');
      await browser.close();
      expect((await run.result).status).toBe(0);
      rmSync(dir, { recursive: true, force: true });
    }
  });
});
