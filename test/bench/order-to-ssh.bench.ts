import { join } from 'node:path';
import { SshKey } from '../../apps/cli/up/ssh.ts';
import { openLab } from '../lab/index.ts';
import { withBenchFolder } from './bench-folder.ts';
import { type Ground, groundOf, scriptToSsh } from './order-to-ssh/by-hand.ts';
import { Customer } from './order-to-ssh/servery.ts';
import { alternate, report, roundsWanted } from './rounds.ts';

/**
 * From an order to the first command by SSH on a cold server, against a hand-written script on the same host and image.
 * Needs a running stack: `npm run up -- --no-order; . .servery/env`.
 */
const NAMES = { ours: 'order to SSH', baseline: 'by hand to SSH' };
const UNIT = 'seconds';

const rounds = roundsWanted(2, 2);
const { SERVERY_URL, HCLOUD_TOKEN } = process.env;
if (!SERVERY_URL || !HCLOUD_TOKEN) {
  throw new Error('SERVERY_URL and HCLOUD_TOKEN are not set. Run: npm run up -- --no-order; . .servery/env');
}
const { description: lab } = await openLab(join(process.env.SERVERY_DATA_DIR || '.servery', 'lab'));
await withBenchFolder(async ({ path, atEnd }) => {
  const key = await SshKey.ensure(path);
  const customer = new Customer(SERVERY_URL, HCLOUD_TOKEN, key);
  await customer.registerKey();
  atEnd(() => customer.forgetKey());
  await compare(customer, key);
});

async function compare(customer: Customer, key: SshKey): Promise<void> {
  let ground: Ground | undefined;
  const order = async () => {
    const { serverId, seconds } = await customer.orderAndLogIn();
    ground = await groundOf(lab, serverId);
    await customer.deleteServer(serverId);
    return seconds;
  };
  const byHand = async () => {
    // The first order of all tells on which host and image.
    if (!ground) throw new Error('an order comes first');
    return scriptToSsh(lab, ground, key.file);
  };
  const comparison = await alternate(
    { name: NAMES.ours, measure: order },
    { name: NAMES.baseline, measure: byHand },
    rounds,
    UNIT,
  );
  console.log(`\n${report(comparison, NAMES, UNIT)}`);
}
