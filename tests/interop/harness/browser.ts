/** Debian's Chromium, driven by playwright-core, which downloads nothing. */
import { type Browser, chromium } from 'playwright-core';
import { CHROMIUM, required } from './programs.ts';

/** A browser without a window; whoever starts it closes it. */
export function launchBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: required(CHROMIUM, 'chromium'),
    // The tests run as root in containers, where Chromium's own sandbox cannot.
    args: ['--no-sandbox'],
  });
}
