import { cookError } from './cook.errors.ts';
import { runTool } from './run-tool.ts';

/** One place to get Debian packages from, as a line of sources.list says it. */
export interface PackageSource {
  readonly uri: string;
  readonly suite: string;
  readonly component: string;
}

const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';
const SUITE_SUFFIXES = ['', '-updates', '-security'] as const;
const FORMAT = '$(ORIGIN)\t$(CODENAME)\t$(COMPONENT)\t$(REPO_URI)';

/**
 * Where the packages of a release come from: `mirror` where it is given (the URI of one Debian mirror; its
 * security archive is expected beside it, at the same URI with `-security`), else what this machine's own apt
 * already uses. Other vendors' archives are left out.
 * @throws DomainError `cook_no_package_source`
 */
export async function packageSources(
  release: string,
  mirror: string | undefined,
  signal?: AbortSignal,
): Promise<PackageSource[]> {
  const uri = mirror?.replace(/\/+$/, '');
  if (uri) {
    return SUITE_SUFFIXES.map((suffix) => ({
      uri: suffix === '-security' ? `${uri}-security` : uri,
      suite: `${release}${suffix}`,
      component: 'main',
    }));
  }
  const output = await runTool(['apt-get', 'indextargets', '--format', FORMAT, 'Created-By: Packages'], {
    timeoutSeconds: 60,
    signal,
  });
  const sources = parseIndexTargets(output, release);
  if (sources.length > 0) return sources;
  throw cookError(
    'cook_no_package_source',
    `apt on this machine knows no archive of Debian ${release}. Add one and run apt-get update, ` +
      'or set SERVERY_APT_MIRROR to the URI of a Debian mirror.',
  );
}

/** `output` has one line of {@link FORMAT} for each index that apt has fetched. */
export function parseIndexTargets(output: string, release: string): PackageSource[] {
  const suites = SUITE_SUFFIXES.map((suffix) => `${release}${suffix}`);
  const found = new Map<string, PackageSource>();
  for (const line of output.split('\n')) {
    const [origin, suite = '', component = '', uri = ''] = line.split('\t');
    if (origin !== 'Debian' || component !== 'main' || !suites.includes(suite)) continue;
    const source = { uri: uri.replace(/\/+$/, ''), suite, component };
    if (!found.has(suite)) found.set(suite, source);
  }
  return [...found.values()].sort((a, b) => suites.indexOf(a.suite) - suites.indexOf(b.suite));
}

/** The lines of a sources.list that trusts Debian's own keys alone. */
export function sourcesList(sources: readonly PackageSource[]): string {
  return sources
    .map(({ uri, suite, component }) => `deb [signed-by=${KEYRING}] ${uri} ${suite} ${component}\n`)
    .join('');
}

/**
 * The same for the image: a server far from here can use only what is on the network, and must not learn how
 * this machine logs in there.
 */
export function guestSourcesList(sources: readonly PackageSource[]): string {
  const reachable = sources.filter(({ uri }) => /^https?:/.test(uri));
  return sourcesList(
    reachable.map((source) => ({ ...source, uri: source.uri.replace(/\/\/[^/@]*@/, '//') })),
  );
}
