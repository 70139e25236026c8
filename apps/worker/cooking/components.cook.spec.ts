import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { request } from 'node:https';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { recipeSpec } from '#libs/contracts';
import { cookImage } from '#libs/images/cook';
import { composeRecipe, Shelf, type Stock } from '#libs/recipes';
import { Guest } from '../../../test/catalog/guest.ts';
import { catalogDir, eventually, useAsClient } from '../../../test/catalog/use.ts';

/** Kept between runs for the sake of its downloaded packages. */
const outputDir =
  process.env.SERVERY_IMAGES_DIR || new URL('../../../.servery/test-images', import.meta.url).pathname;

/** All that bear each other, in as few images as hold every component of the catalog. */
const TOGETHER = {
  shop: ['certbot', 'fail2ban', 'mariadb', 'memcached', 'nginx', 'nodejs', 'php', 'python', 'redis'],
  office: [
    'caddy',
    'docker',
    'dovecot',
    'php',
    'postfix',
    'postgresql',
    'prometheus-node-exporter',
    'wireguard',
  ],
} as const;

const WEB = {
  path: '/var/www/html/answer.php',
  content: '<?php echo 6 * 7, " by ", $_SERVER["SERVER_SOFTWARE"];\n',
};

/** What each does for who uses it on the server, and what that answers. */
const USES: Readonly<Record<string, readonly (readonly [command: string, answer: RegExp])[]>> = {
  caddy: [['curl -s http://127.0.0.1/answer.php', /^42 by Caddy/]],
  certbot: [
    ['certbot --version', /^certbot \d/],
    ['systemctl is-active certbot.timer', /^active$/],
  ],
  docker: [['docker info --format "{{.ServerVersion}} {{.Driver}}"', /^\d+\.\S+ overlay2$/]],
  dovecot: [
    ['echo "a logout" | openssl s_client -quiet -connect 127.0.0.1:993 2>/dev/null', /^\* OK .*Dovecot/],
  ],
  fail2ban: [['fail2ban-client status sshd', /Status for the jail: sshd/]],
  mariadb: [['mariadb -N -e "SELECT 6 * 7"', /^42$/]],
  memcached: [
    ['exec 3<>/dev/tcp/127.0.0.1/11211; printf "version\\r\\nquit\\r\\n" >&3; cat <&3', /^VERSION 1\./],
  ],
  nginx: [['curl -s http://127.0.0.1/answer.php', /^42 by nginx/]],
  nodejs: [['node --print "6 * 7"', /^42$/]],
  php: [['php -r "echo 6 * 7;"', /^42$/]],
  postfix: [
    [
      'echo "Subject: hello" | sendmail root && sleep 5 && grep -c "^Subject: hello" /var/mail/root',
      /^[1-9]/,
    ],
  ],
  postgresql: [['su postgres -c "psql -A -t -c \'SELECT 6 * 7\'"', /^42$/]],
  'prometheus-node-exporter': [],
  python: [['python3 -m venv /tmp/venv && /tmp/venv/bin/pip --version', /^pip \d/]],
  redis: [['redis-cli ping', /^PONG$/]],
  wireguard: [
    ['wg pubkey </etc/wireguard/private.key | cmp - /etc/wireguard/public.key && echo same', /^same$/],
  ],
};

describe('the components of the catalog', () => {
  it('are all among those that are cooked here', async () => {
    const { components } = await new Shelf(catalogDir).stock();
    const cooked = new Set<string>(Object.values(TOGETHER).flat());
    expect([...cooked].toSorted()).toEqual([...components.keys()].toSorted());
    expect(Object.keys(USES).toSorted()).toEqual([...components.keys()].toSorted());
  });

  it.each(Object.entries(TOGETHER))('work side by side in one server: %s', async (name, components) => {
    const recipe = composed(await new Shelf(catalogDir).stock(), name, components);
    const folder = `components.${name}`;
    const image = await cookImage({ recipe, outputDir, folder, mirror: process.env.SERVERY_APT_MIRROR });
    const secrets = Object.fromEntries(
      recipe.secrets.map((secret) => [secret.name, randomBytes(12).toString('hex')]),
    );
    const guest = await Guest.start(image, { hostname: name, memoryMib: 2048, ports: recipe.ports, secrets });
    try {
      await useAsClient(guest, recipe);
      for (const component of components) {
        for (const [command, answer] of USES[component] ?? []) {
          await eventually(async () => expect(await guest.run(command), component).toMatch(answer));
        }
      }
      const password = secrets.metrics_password;
      if (password !== undefined) await eventually(() => expectFigures(guest, password));
      expect(await guest.run('systemctl --failed --plain --no-legend')).toBe('');
    } finally {
      await guest.stop();
      await rm(join(outputDir, folder), { recursive: true, force: true });
    }
  });
});

function composed(stock: Stock, name: string, components: readonly string[]) {
  const files = [{ ...WEB, mode: '0644', owner: 'root', group: 'root' }];
  const spec = recipeSpec.parse({ name, components, files, packages: ['curl'] });
  return composeRecipe(spec, stock).recipe;
}

/** From outside, by TLS with a certificate of the server's own: none without the password. */
async function expectFigures(guest: Guest, password: string): Promise<void> {
  const url = `https://127.0.0.1:${guest.portFor(9100)}/metrics`;
  const ask = (auth: string) =>
    new Promise<{ status?: number | undefined; body: string }>((resolve, reject) => {
      request(url, { auth, rejectUnauthorized: false }, (answer) =>
        text(answer).then((body) => resolve({ status: answer.statusCode, body }), reject),
      )
        .on('error', reject)
        .end();
    });
  expect((await ask('prometheus:wrong')).status).toBe(401);
  expect(await ask(`prometheus:${password}`)).toMatchObject({
    status: 200,
    body: expect.stringContaining('node_load1 '),
  });
}
