import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Lab, startLab } from './index.ts';
import { labLayout } from './layout.ts';
import { listProcesses } from './processes.ts';
import { run } from './run.ts';

/** Stands in for a guest: a program in a host's namespace that answers once its client has said all. */
const GUEST = '10.77.0.240';
const ECHO_PORT = 7000;
const CLOSED_PORT = 7001;
const ECHO = `require('node:net').createServer({ allowHalfOpen: true }, (c) => {
  const said = [];
  c.on('data', (d) => said.push(d)).on('end', () => c.end(Buffer.concat(said))).on('error', () => c.destroy());
}).listen(${ECHO_PORT}, '${GUEST}', 1024, () => console.log('listening'));`;

let folder: string;
let lab: Lab;
let echo: ReturnType<typeof spawn>;

beforeAll(async () => {
  folder = await mkdtemp('/tmp/servery-lab-');
  lab = await startLab({ folder, hosts: 1 });
  const namespace = `sv${labLayout(folder).hash}-kvm1`;
  await run('ip', ['-n', namespace, 'address', 'add', `${GUEST}/24`, 'dev', 'br0']);
  echo = spawn('nsenter', [`--net=/run/netns/${namespace}`, process.execPath, '-e', ECHO], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await new Promise((resolve) => echo.stdout?.once('data', resolve));
});

afterAll(async () => {
  echo?.kill('SIGKILL');
  await lab?.stop({ purge: true });
  await rm(folder, { recursive: true, force: true });
});

const target = { address: GUEST, port: ECHO_PORT };

describe('gateway', () => {
  it('carries both halves of a connection, each to its own end', async () => {
    expect(await say(await lab.dial(target), 'hello')).toBe('hello');
  });

  it('says when a guest refuses', async () => {
    await expect(lab.dial({ address: GUEST, port: CLOSED_PORT })).rejects.toMatchObject({
      code: 'unreachable',
      message: expect.stringContaining('502'),
    });
  });

  it('says when nobody has the address', async () => {
    await expect(lab.dial({ address: '10.77.0.249', port: 80 })).rejects.toMatchObject({
      code: 'unreachable',
      message: expect.stringContaining('504'),
    });
  });

  it('gives up when the caller does', async () => {
    const dialled = lab.dial({ address: '10.77.0.248', port: 80 }, 0.2);
    await expect(dialled).rejects.toMatchObject({
      code: 'unreachable',
      message: expect.stringContaining('no answer'),
    });
  });

  it.each([
    '127.0.0.1:22',
    '10.78.0.11:16509',
    '192.0.2.1:80',
    'localhost:22',
    '10.77.0.240:0',
    '10.77.0.240:65536',
    '10.77.0.240',
    '[::1]:22',
    '010.77.0.240:22',
  ])('does not lead to %s', async (where) => {
    expect(await connectStatus(where)).toBe(403);
  });
});

describe('relay', () => {
  it('shows a port once, however often and by however many it is asked', async () => {
    const shown = await Promise.all(Array.from({ length: 8 }, () => lab.show(target)));
    expect(new Set(shown.map((port) => port.listenPort)).size).toBe(1);
    expect(await lab.shown()).toEqual([shown[0]]);
  });

  it('carries 200 connections at once, each whole', async () => {
    const { listenPort } = await lab.show(target);
    const texts = Array.from({ length: 200 }, (_, index) => `${index}-`.repeat(20_000));
    const answers = await Promise.all(texts.map(async (text) => say(await connected(listenPort), text)));
    expect(answers.every((answer, index) => answer === texts[index])).toBe(true);
  });

  it('breaks a connection whose guest refuses', async () => {
    const { listenPort } = await lab.show({ address: GUEST, port: CLOSED_PORT });
    await expect(connected(listenPort).then((socket) => say(socket, 'hello'))).rejects.toMatchObject({
      code: 'ECONNRESET',
    });
  });

  it('keeps its ports over kill -9', async () => {
    const before = await lab.shown();
    expect(before.length).toBeGreaterThan(0);
    for (const { pid, argv } of await listProcesses()) {
      if (argv.at(-1) === folder && argv.at(-2)?.endsWith('/relay.main.ts')) process.kill(pid, 'SIGKILL');
    }
    await startLab({ folder });
    expect(await lab.shown()).toEqual(before);
    const { listenPort } = await lab.show(target);
    expect(await say(await connected(listenPort), 'again')).toBe('again');
  });

  it('hides a port, with its connections, and may be asked again', async () => {
    const { listenPort } = await lab.show(target);
    const open = await connected(listenPort);
    const broken = new Promise((resolve) => open.once('error', resolve).once('close', resolve));
    await lab.hide(target);
    await broken;
    await lab.hide(target);
    await expect(connected(listenPort)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('refuses what is no guest', async () => {
    await expect(lab.show({ address: '127.0.0.1', port: 22 })).rejects.toMatchObject({
      code: 'relay_failed',
      message: expect.stringContaining('422'),
    });
  });
});

function connected(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true });
    socket.once('error', reject).once('connect', () => resolve(socket));
  });
}

/** Sends all, ends this half, and reads the other to its end. */
function say(socket: Socket, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    socket.on('data', (chunk) => chunks.push(chunk as Buffer));
    socket.once('end', () => resolve(Buffer.concat(chunks).toString()));
    socket.once('error', reject);
    socket.end(text);
  });
}

function connectStatus(where: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const ask = request({ socketPath: labLayout(folder).gatewaySocket, method: 'CONNECT', path: where });
    ask.once('connect', (response, socket) => {
      socket.destroy();
      resolve(response.statusCode);
    });
    ask.once('error', reject).end();
  });
}
