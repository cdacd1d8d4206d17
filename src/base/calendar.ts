/** A moment as a calendar shows it, without a time zone to ask. */
import type { UnixMs } from './brands.ts';

const DAY_MS = 86_400_000;
const WEEKDAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'] as const;
const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');
/** Days of 400 years of the Gregorian calendar, and from 1 March of the year 0 to 1970. */
const ERA_DAYS = 146_097;
const EPOCH_DAYS = 719_468;
/** 1 January 1970 was a Thursday. */
const EPOCH_WEEKDAY = 4;

/** Like C's `ctime`, in UTC: `Thu Nov 26 05:00:16 2026`. */
export function calendarText(at: UnixMs): string {
  const days = Math.floor(at / DAY_MS);
  const seconds = Math.floor((at - days * DAY_MS) / 1000);
  // Years begin in March here, so that a leap day is the last of its year.
  const shifted = days + EPOCH_DAYS;
  const era = Math.floor(shifted / ERA_DAYS);
  const ofEra = shifted - era * ERA_DAYS;
  const leapDays = Math.floor(ofEra / 1460) - Math.floor(ofEra / 36_524);
  const yearOfEra = Math.floor((ofEra - leapDays + Math.floor(ofEra / 146_096)) / 365);
  const beforeYear = 365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100);
  const ofYear = ofEra - beforeYear;
  const fromMarch = Math.floor((5 * ofYear + 2) / 153);
  const day = ofYear - Math.floor((153 * fromMarch + 2) / 5) + 1;
  const month = (fromMarch + 2) % 12;
  const year = yearOfEra + era * 400 + (month < 2 ? 1 : 0);
  const weekday = WEEKDAYS[(((days + EPOCH_WEEKDAY) % 7) + 7) % 7]!;
  const two = (value: number): string => String(value).padStart(2, '0');
  const clock = [seconds / 3600, (seconds / 60) % 60, seconds % 60].map((part) =>
    two(Math.floor(part)),
  );
  return `${weekday} ${MONTHS[month]!} ${String(day).padStart(2)} ${clock.join(':')} ${year}`;
}
