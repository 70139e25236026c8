import { execFile } from 'node:child_process';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { HostRef } from '../port/hosts.ts';
import type { Guest } from './guest-program.ts';
import { lookAtOneshot, parseOneshot } from './guest-unit.ts';

const run = promisify(execFile);
const UNIT = 'servery-first-boot.service';

/** What systemd 252 says of a oneshot unit that remains after its exit. */
const ACTIVE = {
  LoadState: 'loaded',
  ActiveState: 'active',
  Result: 'success',
  ExecMainCode: '1',
  ExecMainStatus: '0',
  ConditionResult: 'yes',
  ConditionTimestampMonotonic: '5171234',
};
const FAILED = { ...ACTIVE, ActiveState: 'failed', Result: 'exit-code', ExecMainStatus: '3' };
const AS_FAILED = { state: 'failed', end: { exitCode: 3, signal: null } };
const UNTOUCHED = {
  ...ACTIVE,
  ...{ ActiveState: 'inactive', ConditionResult: 'no', ConditionTimestampMonotonic: '0' },
};

function shown(properties: Readonly<Record<string, string>>): string {
  return Object.entries(properties)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}

const printed = (properties: Readonly<Record<string, string>>, said = '') =>
  `${shown(properties)}@@\n${said}`;

describe('a unit that runs once', () => {
  it.each<[what: string, properties: Readonly<Record<string, string>>, state: string]>([
    ['has ended well', ACTIVE, 'done'],
    ['runs', { ...ACTIVE, ActiveState: 'activating' }, 'waiting'],
    ['has not been started yet', UNTOUCHED, 'waiting'],
    ['had nothing to do at this boot', { ...UNTOUCHED, ConditionTimestampMonotonic: '5171234' }, 'done'],
    ['is not there', { ...UNTOUCHED, LoadState: 'not-found' }, 'done'],
    ['is masked', { ...UNTOUCHED, LoadState: 'masked' }, 'done'],
  ])('that %s is seen so', (_, properties, state) => {
    expect(parseOneshot(printed(properties))).toEqual({ state });
  });

  it('that failed says how it ended, and the last that it printed', () => {
    const failed = parseOneshot(printed(FAILED, '\x1b[31mthere is no\tshop\n'));
    expect(failed).toEqual({ ...AS_FAILED, lastLine: '[31mthere is no shop' });
  });

  it.each<[result: string, code: string, status: string, end: unknown]>([
    ['timeout', '2', '15', 'late'],
    ['oom-kill', '2', '9', 'out_of_memory'],
    ['signal', '2', '9', { exitCode: null, signal: 'SIGKILL' }],
    ['core-dump', '3', '11', { exitCode: null, signal: 'SIGSEGV' }],
    ['signal', '2', '64', { exitCode: null, signal: 'signal 64' }],
    ['exit-code', '1', '9', { exitCode: 9, signal: null }],
  ])('that failed by %s with code %s and status %s says so', (Result, ExecMainCode, ExecMainStatus, end) => {
    expect(parseOneshot(printed({ ...FAILED, Result, ExecMainCode, ExecMainStatus }))).toEqual({
      state: 'failed',
      end,
      lastLine: '',
    });
  });

  it('prints what it likes, and is believed by no word of it', () => {
    const line = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 300 }),
      fc.constantFrom('@@', shown(ACTIVE), shown(FAILED), 'LoadState=masked', 'Result=timeout'),
    );
    const states = [ACTIVE, FAILED, UNTOUCHED, { ...FAILED, Result: 'timeout' }] as const;
    fc.assert(
      fc.property(fc.constantFrom(...states), fc.array(line), (properties, lines) => {
        const said = lines.join('\n');
        const { lastLine, ...seen } = { lastLine: '', ...parseOneshot(printed(properties, said)) };
        const { lastLine: _, ...silent } = { lastLine: '', ...parseOneshot(printed(properties)) };
        expect(seen).toEqual(silent);
        expect(lastLine).toMatch(/^[\x20-\x7e]{0,200}$/);
      }),
    );
  });

  it('has its last words told as they are, the mark between the answers among them', () => {
    const words = fc
      .string({ unit: 'grapheme-ascii', maxLength: 200 })
      .map((text) => text.trim())
      .filter((text) => text !== '');
    fc.assert(
      fc.property(fc.oneof(words, fc.constantFrom('@@', 'a @@')), (said) => {
        expect(parseOneshot(printed(FAILED, `${said}\n`))).toMatchObject({ lastLine: said });
      }),
    );
  });

  it('is waited for as long as nothing of it can be read', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 5000 }), (text) => {
        expect(parseOneshot(text)).toEqual({ state: 'waiting' });
      }),
    );
  });
});

describe('looking at it', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'servery-unit-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  /** This machine as a guest, with a systemd that writes down what it is asked. */
  async function guestThat(says: {
    readonly systemctl: string;
    readonly journalctl: string;
  }): Promise<Guest> {
    for (const [name, said] of Object.entries(says)) {
      const path = join(folder, name);
      await writeFile(`${path}.said`, said);
      await writeFile(path, `#!/bin/sh\nprintf '%s\\n' "$@" >${path}.asked\ncat ${path}.said\n`);
      await chmod(path, 0o755);
    }
    return {
      host: { name: 'here' } as HostRef,
      uuid: '00000000-0000-4000-8000-000000000000',
      hypervisor: {
        agentExec: async (_host, _uuid, [program, ...args]) => {
          const ours = args.map((arg) => arg.replace(' PATH=', ` PATH=${folder}:`));
          return { exitCode: 0, ...(await run(program, ours)) };
        },
      },
    };
  }

  it('asks for the unit by its name alone', async () => {
    const guest = await guestThat({ systemctl: shown(FAILED), journalctl: 'there is no shop\n' });
    const seen = await lookAtOneshot(guest, UNIT);
    expect(seen).toEqual({ ...AS_FAILED, lastLine: 'there is no shop' });
    expect((await readFile(join(folder, 'systemctl.asked'), 'utf8')).split('\n').slice(-3)).toEqual([
      '--',
      UNIT,
      '',
    ]);
    expect(await readFile(join(folder, 'journalctl.asked'), 'utf8')).toContain(`\n_SYSTEMD_UNIT=${UNIT}\n`);
  });

  it('is not drowned by what was printed', async () => {
    const guest = await guestThat({ systemctl: shown(FAILED), journalctl: 'x'.repeat(1_000_000) });
    expect(await lookAtOneshot(guest, UNIT)).toMatchObject({ state: 'failed', lastLine: 'x'.repeat(200) });
  });

  it('waits for a guest whose systemd says nothing', async () => {
    expect(await lookAtOneshot(await guestThat({ systemctl: '', journalctl: '' }), UNIT)).toEqual({
      state: 'waiting',
    });
  });
});
