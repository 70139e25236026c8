import { join, resolve } from 'node:path';

export const root = resolve(import.meta.dirname, '../..');
/** The data folder of the stack under test, beside a developer's own. */
export const dataFolder = resolve(root, process.env.SERVERY_TEST_DIR || '.servery-test');

/** A program to run to its end. */
export interface Command {
  readonly title: string;
  readonly program: string;
  readonly args: readonly string[];
}

export interface Suite {
  readonly name: string;
  readonly title: string;
  /** After so many minutes it counts as hung and is killed. */
  readonly minutes: number;
  /** It runs beside the suite before it: a guest under emulation uses one core. */
  readonly isBeside?: boolean;
  /** Whether it runs against the stack that `up` brings up. */
  readonly needsStack?: boolean;
  /** Why it runs only where it is named. */
  readonly onlyNamed?: string;
  /** Either plain commands, each of which is one test, or a project of vitest.config.ts. */
  readonly what: readonly Command[] | { readonly vitestProject: string };
}

const tool = (path: string) => join(root, 'node_modules', path);
const typescript = tool('typescript/bin/tsc');

export function node(title: string, ...args: string[]): Command {
  return { title, program: process.execPath, args };
}

export const vitest = tool('vitest/vitest.mjs');

/** Every suite, in the order in which it runs: the quick ones first. */
export const suites: readonly Suite[] = [
  {
    name: 'check',
    title: 'Format, lint, types',
    minutes: 10,
    what: [
      {
        title: 'formatted and linted',
        program: tool('.bin/biome'),
        args: ['check', '--error-on-warnings', '.'],
      },
      node('types of the servers and the tests', typescript, '-p', 'tsconfig.json'),
      node('types of the storefront', typescript, '-p', 'apps/storefront/tsconfig.json'),
    ],
  },
  {
    name: 'unit',
    title: 'Architecture, units and integration on a real PostgreSQL and Redis',
    minutes: 45,
    what: { vitestProject: 'unit' },
  },
  {
    name: 'image',
    title: 'Golden images: cooked, booted, cooked again',
    minutes: 60,
    what: { vitestProject: 'image' },
  },
  {
    name: 'lab',
    title: 'Real libvirt hosts and guests',
    minutes: 60,
    isBeside: true,
    what: { vitestProject: 'lab' },
  },
  {
    name: 'cooks',
    title: "Customers' recipes and hostile packages, cooked",
    minutes: 60,
    onlyNamed: 'a quarter of an hour of cooking and booting; npm test -- cooks',
    what: { vitestProject: 'cooks' },
  },
  {
    name: 'e2e',
    title: 'The whole stack by its API',
    minutes: 60,
    needsStack: true,
    what: { vitestProject: 'e2e' },
  },
  {
    name: 'browser',
    title: 'The storefront in Chromium',
    minutes: 60,
    isBeside: true,
    needsStack: true,
    what: { vitestProject: 'browser' },
  },
  {
    name: 'walks',
    title: 'Long ways through the whole stack',
    minutes: 60,
    needsStack: true,
    onlyNamed: 'a quarter of an hour of booting guests; npm test -- walks',
    what: { vitestProject: 'walks' },
  },
  {
    name: 'chaos',
    title: 'Kills, losses, and hosts that fill up',
    minutes: 60,
    needsStack: true,
    what: { vitestProject: 'chaos' },
  },
  {
    name: 'clock',
    title: 'The storefront while its clock is moved by months',
    minutes: 30,
    needsStack: true,
    what: { vitestProject: 'clock' },
  },
];
