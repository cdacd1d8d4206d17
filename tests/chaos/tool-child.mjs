/**
 * `node tool-child.mjs MOMENTS ARGUMENTS…`: the program as it is installed, ended as by kill -9 at the given moment. A moment
 * is when the world outside has just changed: a command that changes a node was sent, a command of the user's was
 * started, a line of the journal was written.
 */
import childProcess from 'node:child_process';
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';

const PROGRAM = new URL('../../dist/bin/slotline.js', import.meta.url);
const CHANGING =
  /\r\n(?:MIGRATE|FAILOVER|(?:SETSLOT|MEET|REPLICATE|FORGET|RESET|ADDSLOTSRANGE|DELSLOTSRANGE|BUMPEPOCH|RESTORE))\r\n/;

const [moments, ...args] = process.argv.slice(2);
let left = Number(moments);

function moment() {
  left--;
  if (left === 0) process.kill(process.pid, 'SIGKILL');
}

// The program is loaded as a bundle with a client of its own: what every client does is to write to a socket.
// oxlint-disable-next-line typescript/unbound-method -- it is called with its own this
const { write } = Socket.prototype;
Socket.prototype.write = function (bytes, ...rest) {
  const isRoom = write.call(this, bytes, ...rest);
  if (CHANGING.test(String(bytes))) moment();
  return isRoom;
};

const { fsyncSync } = fs;
fs.fsyncSync = (file) => {
  fsyncSync(file);
  moment();
};
const { spawn } = childProcess;
childProcess.spawn = (...parts) => {
  const child = spawn(...parts);
  moment();
  return child;
};
syncBuiltinESMExports();

process.argv = [process.execPath, fileURLToPath(PROGRAM), ...args];
await import(PROGRAM.href);
