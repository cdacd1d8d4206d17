/** The signals that ask for an orderly end. */

export interface StopSignal {
  readonly received: Promise<'signal'>;
  /** Gives the signals back to their default. */
  release(): void;
}

/** Waits for the signals that ask for an orderly end. */
export function stopSignal(): StopSignal {
  const names = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  let onSignal = (): void => undefined;
  const received = new Promise<'signal'>((resolve) => {
    onSignal = () => resolve('signal');
  });
  for (const name of names) process.on(name, onSignal);
  return {
    received,
    release: () => {
      for (const name of names) process.off(name, onSignal);
    },
  };
}
