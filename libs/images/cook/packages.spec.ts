import { describe, expect, it } from 'vitest';
import { type ChosenPackage, parseIndex } from './package-index.ts';
import { guestSourcesList, parseIndexTargets, sourcesList } from './package-sources.ts';
import { refusalOf } from './package-state.ts';
import { isPartOf } from './root-archive.ts';
import { runTool } from './run-tool.ts';

describe('parseIndexTargets', () => {
  it('keeps what Debian signs for the release, each suite once', () => {
    const lines = [
      'Debian\tbookworm-security\tmain\thttp://mirror.example/debian-security/',
      'Debian\tbookworm\tmain\thttp://mirror.example/debian/',
      'Debian\tbookworm\tmain\thttp://other.example/debian/',
      'Debian\tbookworm\tnon-free\thttp://mirror.example/debian/',
      'Debian\tbookworm-backports\tmain\thttp://mirror.example/debian/',
      'Debian\ttrixie\tmain\thttp://mirror.example/debian/',
      'Vendor\tbookworm\tmain\thttp://vendor.example/apt/',
    ];
    expect(parseIndexTargets(lines.join('\n'), 'bookworm')).toEqual([
      { uri: 'http://mirror.example/debian', suite: 'bookworm', component: 'main' },
      { uri: 'http://mirror.example/debian-security', suite: 'bookworm-security', component: 'main' },
    ]);
  });

  it('finds nothing in nothing', () => {
    expect(parseIndexTargets('', 'bookworm')).toEqual([]);
  });
});

describe('guestSourcesList', () => {
  it('tells a server neither how this machine logs in nor where its folders are', () => {
    const from = (uri: string) => ({ uri, suite: 'bookworm', component: 'main' });
    const sources = [
      from('https://user:secret@mirror.example/debian'),
      from('file:/srv/mirror'),
      from('copy:/x'),
    ];
    expect(sourcesList(sources)).toContain('secret');
    expect(guestSourcesList(sources)).toBe(
      'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] https://mirror.example/debian bookworm main\n',
    );
  });
});

describe('parseIndex', () => {
  const paragraph = (name: string, more: string) =>
    `Package: ${name}\nVersion: 1:2+b1\n${more}\nSHA256: ${'a'.repeat(64)}`;

  it('reads each package once, in the order of their names', () => {
    const index = [
      paragraph('zsh', 'Architecture: amd64\nSource: zsh-src (1:2)'),
      paragraph('adduser', 'Architecture: all\nDescription: one\n two\n .\n Version: no field'),
      paragraph('zsh', 'Architecture: amd64\nSource: zsh-src (1:2)'),
    ].join('\n\n');
    expect(parseIndex(index)).toMatchObject([
      { name: 'adduser', version: '1:2+b1', architecture: 'all', source: 'adduser' },
      { name: 'zsh', version: '1:2+b1', architecture: 'amd64', source: 'zsh-src' },
    ]);
  });
});

describe('refusalOf', () => {
  const endOf = (script: string, timeoutSeconds = 60) =>
    runTool(['sh', '-c', script], { timeoutSeconds }).catch(refusalOf);

  it('blames packages where they cannot be together, by what apt says of them', async () => {
    const said = 'The following packages have unmet dependencies:\n caddy : Conflicts: nginx';
    expect(await endOf(`echo '${said}' >&2; exit 100`)).toMatchObject({
      code: 'cook_packages_conflict',
      message: expect.stringMatching(/\n caddy : Conflicts: nginx$/),
    });
  });

  it('blames no name where apt took too long, and waits for nothing that it has started', async () => {
    const begun = performance.now();
    expect(await endOf('sleep 60 & sleep 60; exit 1', 1)).toMatchObject({
      code: 'cook_tool_too_slow',
      message: expect.not.stringMatching(/name/),
    });
    expect(performance.now() - begun).toBeLessThan(50_000);
  });

  it('tells what apt said where it is neither', async () => {
    expect(await endOf('echo E: no route to host; exit 100')).toMatchObject({
      code: 'cook_packages_unavailable',
      message: expect.stringContaining('E: no route to host'),
    });
  });
});

describe('isPartOf', () => {
  const state = (...packages: [name: string, sha256: string][]) => ({
    sources: [],
    sha256: '',
    packages: packages.map(([name, sha256]) => ({ name, sha256 }) as ChosenPackage),
  });

  it('lets a recipe begin where its base ended, unless it has another build of a package', () => {
    const base = state(['apt', 'a'], ['bash', 'b']);
    expect(isPartOf(base, state(['apt', 'a'], ['bash', 'b'], ['nginx', 'c']))).toBe(true);
    expect(isPartOf(base, base)).toBe(true);
    expect(isPartOf(base, state(['apt', 'a'], ['bash', 'newer'], ['nginx', 'c']))).toBe(false);
    expect(isPartOf(base, state(['apt', 'a'], ['nginx', 'c']))).toBe(false);
  });
});
