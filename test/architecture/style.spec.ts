import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { root, type Source, sources, walk } from './sources.ts';

const exec = promisify(execFile);

/** The value that nine of ten stay below or at. */
function p90(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length * 0.9)] ?? 0;
}

const lines = (text: string): number => text.split('\n').length;

function functionLengths(source: Source): number[] {
  const lengths: number[] = [];
  walk(source.tree, (node) => {
    if (ts.isFunctionLike(node) && 'body' in node && node.body) lengths.push(lines(node.getText()));
  });
  return lengths;
}

/** Constructors with more parameters than `most`. */
function crowdedConstructors(source: Source, most: number): string[] {
  const found: string[] = [];
  walk(source.tree, (node) => {
    if (ts.isConstructorDeclaration(node) && node.parameters.length > most) found.push(source.path);
  });
  return found;
}

describe('the code', () => {
  it('stays in small files, small functions and constructors of six parameters at most', async () => {
    const ours = (await sources('apps', 'libs')).filter(({ path }) => !/\.spec\.tsx?$/.test(path));
    const files = ours.map(({ path, text }) => ({ path, lines: lines(text) }));
    const report = {
      files: files.length,
      fileLinesP90: p90(files.map((file) => file.lines)),
      functionLinesP90: p90(ours.flatMap(functionLengths)),
      longest: files
        .toSorted((a, b) => b.lines - a.lines)
        .slice(0, 5)
        .map((file) => `${file.lines} ${file.path}`),
    };
    console.info(report);
    expect(report.fileLinesP90).toBeLessThanOrEqual(250);
    expect(report.functionLinesP90).toBeLessThanOrEqual(40);
    expect(ours.flatMap((source) => crowdedConstructors(source, 6))).toEqual([]);
  });

  it('leaves no marker behind and silences no check', async () => {
    const marker = new RegExp(['TO', 'DO|FIX', 'ME|@ts-', 'ignore|@ts-', 'nocheck'].join(''));
    const all = await sources('apps', 'libs', 'migrations', 'test', 'scripts');
    expect(all.filter(({ text }) => marker.test(text)).map(({ path }) => path)).toEqual([]);
  });

  it('names no folder of the machine that it was written on, and no package registry', async () => {
    const forbidden = ['/wo', 'rk/main|/wo', 'rk/shared|registry\\.npm', 'js\\.org'].join('');
    const search = exec('git', ['grep', '-lE', forbidden, '--', '.', ':!test/specs'], { cwd: root });
    const found = await search.then(
      ({ stdout }) => stdout.trim().split('\n'),
      (error: { code?: number }) => (error.code === 1 ? [] : Promise.reject(error)),
    );
    expect(found).toEqual([]);
  });
});
