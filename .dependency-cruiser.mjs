/**
 * Who may import whom. Imports run one way:
 *
 *   kernel ← contracts, config ← database, queue, saga, ports ← features ← workflows ← apps
 *
 * test/architecture/ plants a violation of each rule and sees it caught.
 */

const FEATURES =
  '^libs/(accounts|billing|catalog|consoles|dunning|exports|fleet|images|imports|isos|metrics|networks|orders|placement|recipes|servers|volumes|webhooks)/';
const PORTS_AND_BASE =
  '^libs/(confinement|database|disk-files|exports/files|hypervisor|images/(cook|recipe)|listing|mail|payments|queue|saga|secrets)/';
const TESTS = '\\.(spec|fixture|scenario)\\.tsx?$|^test/|/(harness|conformance)/';

/** A package of npm by name, installed wherever. */
const npm = (...names) => `(^|/)node_modules/(${names.join('|')})/`;

/** Only `places` and tests import `packages`. */
const vendor = (name, packages, ...places) => ({
  name: `${name}-in-its-adapter`,
  comment: `Only ${places.join(', ')} may import ${packages.join(', ')}: everybody else uses the port.`,
  severity: 'error',
  from: { pathNot: [...places.map((place) => `^${place}/`), TESTS] },
  to: { path: npm(...packages) },
});

export default {
  forbidden: [
    {
      name: 'no-cycles',
      comment: 'Two modules that need each other are one module, or lack a third below both.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'resolvable',
      comment: 'An import that does not resolve would escape every other rule.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'kernel-stands-alone',
      severity: 'error',
      from: { path: '^libs/kernel/', pathNot: TESTS },
      to: { pathNot: '^libs/kernel/', dependencyTypesNot: ['core'] },
    },
    {
      name: 'contracts-know-the-kernel-alone',
      severity: 'error',
      from: { path: '^libs/(contracts|config)/', pathNot: TESTS },
      to: { path: '^(libs|apps|migrations|test)/', pathNot: ['^libs/kernel/', '^libs/$1/'] },
    },
    {
      name: 'base-below-features',
      severity: 'error',
      from: { path: PORTS_AND_BASE, pathNot: TESTS },
      to: {
        path: [FEATURES, '^libs/workflows/', '^apps/'],
        pathNot: ['^libs/images/(?!index)', '^libs/exports/files/'],
      },
    },
    {
      name: 'features-below-workflows',
      severity: 'error',
      from: { path: FEATURES, pathNot: TESTS },
      to: { path: ['^libs/workflows/', '^apps/'] },
    },
    {
      name: 'workflows-below-apps',
      severity: 'error',
      from: { path: '^libs/workflows/', pathNot: TESTS },
      to: { path: '^apps/' },
    },
    {
      name: 'apps-stand-apart',
      severity: 'error',
      from: { path: '^apps/([^/]+)/' },
      to: { path: '^apps/', pathNot: '^apps/$1/' },
    },
    {
      name: 'libs-by-their-face',
      comment: 'A library is used through its index.ts, or that of one of its sub-faces.',
      severity: 'error',
      from: { path: '^libs/([^/]+)/' },
      to: { path: '^libs/', pathNot: ['^libs/$1/', '/index\\.ts$'] },
    },
    {
      name: 'libs-by-their-face-from-apps',
      comment: 'A library is used through its index.ts, or that of one of its sub-faces.',
      severity: 'error',
      from: { path: '^(apps|migrations)/' },
      to: { path: '^libs/', pathNot: '/index\\.ts$' },
    },
    {
      name: 'drivers-in-the-worker',
      comment: 'What touches hosts runs where sagas run; the CLI uses it for the operator.',
      severity: 'error',
      from: {
        pathNot: ['^apps/(worker|cli)/', '^libs/hypervisor/', '^libs/(images/cook|exports)/', TESTS],
      },
      to: { path: '^libs/(hypervisor/[^/]+/|images/cook/|exports/files/)' },
    },
    {
      name: 'storefront-uses-the-api-alone',
      severity: 'error',
      from: { path: '^apps/storefront/' },
      to: {
        path: '^(libs|apps|migrations|test)/',
        pathNot: ['^apps/storefront/', '^libs/(kernel|contracts)/'],
      },
    },
    {
      name: 'nothing-imports-tests',
      severity: 'error',
      from: { pathNot: TESTS },
      to: { path: TESTS },
    },
    {
      name: 'no-development-packages-at-run-time',
      comment: 'A package of devDependencies is not there in production.',
      severity: 'error',
      from: { path: '^(apps/(api|worker|cli)|libs|migrations)/', pathNot: TESTS },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'], dependencyTypesNot: ['type-only'] },
    },
    vendor('queue', ['bullmq', 'ioredis', '@nestjs/bullmq'], 'libs/queue'),
    vendor('stripe', ['stripe'], 'libs/payments/(stripe|emulator)'),
    vendor('postgres', ['pg'], 'libs/database', 'apps/cli/services'),
    vendor('ssh', ['ssh2'], 'libs/(accounts|hypervisor)'),
    vendor('tus', ['@tus/[^/]+'], 'apps/api/uploads'),
    vendor('websockets', ['ws'], 'apps/worker/consoles'),
    vendor('mail', ['nodemailer', 'smtp-server', 'postal-mime'], 'libs/mail'),
    {
      name: 'programs-run-by-adapters',
      comment: 'Only what stands at the edge starts other programs.',
      severity: 'error',
      from: {
        pathNot: [
          '^libs/(disk-files|hypervisor|images/cook|exports/files|secrets)/',
          '^apps/cli/',
          '^scripts/',
          TESTS,
        ],
      },
      to: { path: '^(node:)?child_process$' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)dist/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['source', 'import', 'node', 'default', 'types'],
      extensions: ['.ts', '.tsx', '.mjs', '.js', '.json', '.d.ts'],
    },
    reporterOptions: { text: { highlightFocused: true } },
  },
};
