/** The geo commands; numbers as redis-server 7.0.15 gives them. */
import { expect, test } from 'vitest';
import { geoCommands } from './geo.ts';
import { type Place, hashOf, placeOf } from './geohash.ts';
import { TestServer } from './test-server.ts';
import { CORRECT_TRIGONOMETRY } from './trigonometry.ts';
import { zsetCommands } from './zset.ts';

function sicily(): TestServer {
  const server = new TestServer([...geoCommands, ...zsetCommands]);
  const places = ['13.361389', '38.115556', 'Palermo', '15.087269', '37.502669', 'Catania'];
  expect(server.run('GEOADD', 'g', ...places)).toBe(':2\r\n');
  return server;
}

/** Runs a line of arguments without blanks in them; the reply without lengths, a value a line. */
function ask(server: TestServer, line: string): string {
  const reply = server.run(...line.split(' '));
  return reply
    .replaceAll(/\$\d+\r\n/g, '')
    .replaceAll('\r\n', ' ')
    .trim();
}

test('GEOADD is a ZADD of hashes', () => {
  const server = sicily();
  expect(ask(server, 'ZRANGE g 0 -1 WITHSCORES')).toBe(
    '*4 Palermo 3479099956230698 Catania 3479447370796909',
  );
  expect(ask(server, 'GEOADD g XX CH 13.5 38.1 Palermo')).toBe(':1');
  expect(server.propagated.at(-1)).toBe('ZADD g XX CH 3479100566894653 Palermo');
  expect(ask(server, 'GEOADD g 181 38 x')).toBe(
    '-ERR invalid longitude,latitude pair 181.000000,38.000000',
  );
  expect(ask(server, 'GEOADD g 1 a x')).toBe('-ERR value is not a valid float');
  expect(ask(server, 'GEOADD g 1 2 x 3')).toBe('-ERR syntax error');
});

test('places, hashes and distances of members', () => {
  const server = sicily();
  expect(ask(server, 'GEOPOS g Palermo x')).toBe(
    '*2 *2 13.36138933897018433 38.11555639549629859 *-1',
  );
  expect(ask(server, 'GEOHASH g Palermo Catania x')).toBe('*3 sqc8b49rny0 sqdtr74hyu0 $-1');
  expect(ask(server, 'GEODIST g Palermo Catania')).toBe('166274.1516');
  expect(ask(server, 'GEODIST g Palermo Catania KM')).toBe('166.2742');
  expect(ask(server, 'GEODIST g Palermo Catania mi')).toBe('103.3182');
  expect(ask(server, 'GEODIST g Palermo x')).toBe('$-1');
  expect(ask(server, 'GEODIST g Palermo Catania au')).toBe(
    '-ERR unsupported unit provided. please use M, KM, FT, MI',
  );
});

test('searches in circles and boxes', () => {
  const server = sicily();
  expect(ask(server, 'GEORADIUS g 15 37 200 km WITHDIST WITHCOORD ASC')).toBe(
    '*2 *3 Catania 56.4413 *2 15.08726745843887329 37.50266842333162032 ' +
      '*3 Palermo 190.4424 *2 13.36138933897018433 38.11555639549629859',
  );
  expect(ask(server, 'GEORADIUS_RO g 15 37 100 km WITHHASH')).toBe(
    '*1 *2 Catania :3479447370796909',
  );
  expect(ask(server, 'GEORADIUSBYMEMBER g Palermo 100 km')).toBe('*1 Palermo');
  expect(ask(server, 'GEOSEARCH g FROMLONLAT 15 37 BYBOX 400 400 km DESC')).toBe(
    '*2 Palermo Catania',
  );
  expect(ask(server, 'GEOSEARCH g FROMMEMBER Catania BYRADIUS 1000 km COUNT 1')).toBe('*1 Catania');
  expect(ask(server, 'GEOSEARCH none FROMMEMBER x BYRADIUS 1 km')).toBe('*0');
});

test('results are stored as hashes or distances', () => {
  const server = sicily();
  expect(ask(server, 'GEOSEARCHSTORE t g FROMMEMBER Palermo BYRADIUS 1000 km STOREDIST')).toBe(
    ':2',
  );
  expect(ask(server, 'ZRANGE t 0 -1 WITHSCORES')).toBe('*4 Palermo 0 Catania 166.27415156960032');
  expect(ask(server, 'GEORADIUS g 15 37 100 km STORE t')).toBe(':1');
  expect(ask(server, 'ZRANGE t 0 -1 WITHSCORES')).toBe('*2 Catania 3479447370796909');
  expect(ask(server, 'GEORADIUS g 0 0 1 m STORE t')).toBe(':0');
  expect(server.events.slice(-2)).toEqual(['0:georadiusstore:t', '0:del:t']);
});

test.each([
  ['GEOSEARCH g BYRADIUS 1 m ASC ANY', 'exactly one of FROMMEMBER or FROMLONLAT can be specified for GEOSEARCH'],
  ['GEOSEARCH g FROMMEMBER Palermo ASC ASC ASC', 'exactly one of BYRADIUS and BYBOX can be specified for GEOSEARCH'],
  ['GEOSEARCH g FROMMEMBER x BYRADIUS 1 m', 'could not decode requested zset member'],
  ['GEOSEARCH g FROMMEMBER Palermo BYRADIUS x m', 'need numeric radius'],
  ['GEOSEARCH g FROMMEMBER Palermo BYRADIUS -1 m', 'radius cannot be negative'],
  ['GEOSEARCH g FROMMEMBER Palermo BYBOX x 1 m', 'need numeric width'],
  ['GEOSEARCH g FROMMEMBER Palermo BYBOX 1 x m', 'need numeric height'],
  ['GEOSEARCH g FROMMEMBER Palermo BYBOX 1 -1 m', 'height or width cannot be negative'],
  ['GEOSEARCH g FROMMEMBER Palermo BYRADIUS 1 m ANY', 'the ANY argument requires COUNT argument'],
  ['GEOSEARCH g FROMMEMBER Palermo BYRADIUS 1 m COUNT 0', 'COUNT must be > 0'],
  ['GEOSEARCH g FROMMEMBER Palermo BYRADIUS 1 m BYBOX 1 1 m', 'syntax error'],
  ['GEORADIUS_RO g 1 1 1 m STORE t', 'syntax error'],
  ['GEORADIUS g 1 1 1 m STORE t WITHDIST', 'STORE option in GEORADIUS is not compatible with WITHDIST, WITHHASH and WITHCOORD options'],
  ['GEOSEARCHSTORE t g FROMMEMBER Palermo BYRADIUS 1 m WITHHASH', 'GEOSEARCHSTORE is not compatible with WITHDIST, WITHHASH and WITHCOORD options'],
])('%s is refused: %s', (line, text) => {
  expect(ask(sicily(), line)).toBe(`-ERR ${text}`);
}); // prettier-ignore

test('a score that ZADD gave, with a fraction, is told as a whole hash and stored as it is', () => {
  const server = sicily();
  server.run('ZADD', 'g', '3479447370796909.5', 'Catania', '9627370495.5', 'far');
  expect(ask(server, 'GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 100 km WITHHASH')).toBe(
    '*1 *2 Catania :3479447370796909',
  );
  expect(ask(server, 'GEORADIUS g -179 -85 1000 km WITHHASH')).toBe('*1 *2 far :9627370495');
  expect(ask(server, 'GEOSEARCHSTORE d g FROMLONLAT 15 37 BYRADIUS 100 km')).toBe(':1');
  expect(ask(server, 'ZSCORE d Catania')).toBe('3479447370796909.5');
});

test('a hash is read back to a place in its cell', () => {
  const place: Place = { longitude: 0, latitude: 0 };
  for (let longitude = -180; longitude < 180; longitude += 7.3) {
    for (let latitude = -85; latitude < 85; latitude += 5.1) {
      placeOf(hashOf({ longitude, latitude }), place);
      expect(Math.abs(place.longitude - longitude)).toBeLessThan(360 / 2 ** 26);
      expect(Math.abs(place.latitude - latitude)).toBeLessThan(180 / 2 ** 26);
    }
  }
});

/** Rounded from 200 bits by an arbitrary-precision library. */
test.each([
  [-0.23243162585040889, -0.23034443958486758, 0.9731091609641404],
  [-0.5140037295978401, -0.4916675578652269, Number.NaN],
  [0.732933834271583, 0.6690529800680363, 0.7432147131630804],
  [0.7731309255733714, 0.6983795478320406, 0.7157276068239331],
])('sine and cosine of %d are rounded correctly', (angle, sine, cosine) => {
  expect(CORRECT_TRIGONOMETRY.sin(angle)).toBe(sine);
  if (!Number.isNaN(cosine)) expect(CORRECT_TRIGONOMETRY.cos(angle)).toBe(cosine);
});

test.each([
  [0.37331193139504204, 0.3825764906710196],
  [0.2573569799991521, 0.2602860528720183],
  [0.10685260411072939, 0.10705698718204852],
  [0.9238297864122955, 1.1779672726660813],
  [1.8082450827526757e-7, 1.8082450827526855e-7],
])('the arc sine of %d is rounded correctly', (sine, angle) => {
  expect(CORRECT_TRIGONOMETRY.asin(sine)).toBe(angle);
});
