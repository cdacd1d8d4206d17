import { expect, test } from 'vitest';
import type { Entrance } from '../io/index.ts';
import { PauseGate } from './pause-gate.ts';
import { NotedNetwork, NotedWire, notedEvents } from './test-wire.ts';

interface Scene {
  readonly gate: PauseGate;
  readonly heard: string[];
  readonly entrance: Entrance;
  readonly connect: () => NotedWire;
}

/** A node that notes what reaches it. */
function scene(): Scene {
  const { heard, events } = notedEvents();
  const gate = new PauseGate();
  const node: Entrance = {
    accept: () => {
      heard.push('accept');
      return events;
    },
    acceptBus: () => {
      heard.push('acceptBus');
      return events;
    },
    wake: () => heard.push('wake'),
    work: () => heard.push('work'),
    send: () => heard.push('send'),
  };
  const entrance = gate.entrance(node);
  const connect = (): NotedWire => {
    const wire: NotedWire = new NotedWire({
      data: (buf, size) => inner.data(buf, size),
      closed: (reason) => inner.closed(reason),
    });
    const inner = entrance.accept(wire);
    return wire;
  };
  return { gate, heard, entrance, connect };
}

test('an open gate lets everything pass', () => {
  const { heard, entrance, connect } = scene();
  connect().receive('PING');
  entrance.wake();
  expect(heard).toEqual(['accept', 'data PING', 'wake']);
});

test('while shut nothing reaches the node, and bytes stay in the system; then all comes in order', () => {
  const { gate, heard, entrance, connect } = scene();
  const early = connect();
  gate.shut();
  early.receive('one');
  entrance.wake();
  const late = connect();
  late.receive('two');
  early.events.closed('ECONNRESET');
  entrance.work();
  expect(heard).toEqual(['accept']);
  expect([early.done, late.done]).toEqual([['pause'], ['pause']]);
  gate.open();
  expect(heard.slice(1)).toEqual([
    ...['data one', 'wake', 'accept', 'data two', 'closed ECONNRESET', 'work'],
  ]);
  expect(late.done).toEqual(['pause', 'resume']);
});

test('connections that the node opened are silent too while it is paused', () => {
  const { gate } = scene();
  const { heard, events } = notedEvents();
  const outer = new NotedNetwork();
  gate.network(outer).connect({ host: '127.0.0.1', port: 7001, purpose: 'data' }, events);
  gate.shut();
  outer.last.events.opened?.();
  outer.last.receive('late');
  expect(heard).toEqual([]);
  gate.open();
  expect(heard).toEqual(['opened', 'data late']);
});

test('a dead node hears nothing any more, not even what waited', () => {
  const { gate, heard, entrance, connect } = scene();
  const wire = connect();
  gate.shut();
  wire.receive('late');
  gate.forget();
  gate.open();
  wire.receive('later');
  wire.events.closed(undefined);
  entrance.wake();
  expect(heard).toEqual(['accept']);
});
