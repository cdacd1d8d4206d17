/** The signals that ask a tool for an orderly end. */

/** Of who is not told otherwise. SIGHUP stays as it was found: under nohup a tool goes on. */
const END_SIGNALS: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM'];
/** "Could not finish". */
const SECOND_SIGNAL_STATUS = 3;

export interface EndSignals {
  /** Raised by the first signal; its name is the reason. */
  readonly signal: AbortSignal;
  /** Gives the signals back to what they did before. */
  release(): void;
}

export interface EndSignalsOptions {
  readonly names?: readonly NodeJS.Signals[];
  /** Whether a second signal ends the process at once, as it does by default; or there is no end but the orderly one. */
  readonly endsAtSecond?: boolean;
}

/** Takes the signals from now on. */
export function endSignals({
  names = END_SIGNALS,
  endsAtSecond = true,
}: EndSignalsOptions = {}): EndSignals {
  const controller = new AbortController();
  const onSignal = (name: NodeJS.Signals): void => {
    if (controller.signal.aborted && endsAtSecond) process.exit(SECOND_SIGNAL_STATUS);
    controller.abort(name);
  };
  for (const name of names) process.on(name, onSignal);
  return {
    signal: controller.signal,
    release: () => {
      for (const name of names) process.off(name, onSignal);
    },
  };
}
