/** `slotline-sentinel`: not built yet; says what to use meanwhile. */
process.stderr.write(
  'slotline-sentinel: Sentinel is not part of Slotline yet; use redis-sentinel meanwhile, which works with Slotline nodes\n',
);
process.exitCode = 1;
