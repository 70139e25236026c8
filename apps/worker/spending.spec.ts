import { expect, it } from 'vitest';
import { firstPrice, openServer, setSpendingLimit } from '#libs/billing';
import { newId } from '#libs/kernel';
import { templates } from '#libs/mail';
import { testDatabase } from '../../test/support/test-database.ts';
import { mailSpendingAlerts } from './spending.ts';

const database = testDatabase();

it('mails a customer who has reached a mark of their limit, once, with what it means', async () => {
  const { manager } = database.dataSource;
  const accountId = newId();
  await manager.query(
    `INSERT INTO accounts (id, email, password_hash, name, role, max_servers, max_vcpus, max_memory_mib)
     VALUES ($1, 'spender@example.com', '', 'S', 'customer', 1, 1, 1)`,
    [accountId],
  );
  await firstPrice(manager, { item: 'disk/w', title: 'w', hourlyMicro: 0 });
  await firstPrice(manager, { item: 'compute/w', title: 'w', hourlyMicro: 1_000_000_000 });
  const names = { serverName: 'vm', serverTypeName: 'w', imageName: 'none', currency: 'eur' };
  const server = { accountId, projectId: 1, serverId: newId(), isRunning: true, ...names };
  const since = new Date('2031-05-01T00:00:00Z');
  await database.dataSource.transaction((inside) => openServer(inside, server, since));
  await setSpendingLimit(manager, accountId, { amountMinor: 2400, isHard: true, alertPercents: [50, 100] });
  const mails = () =>
    manager.query<{ recipient: string; data: never }[]>('SELECT recipient, data FROM mails');
  await mailSpendingAlerts(database.dataSource, new Date('2031-05-01T01:00:00Z'));
  expect(await mails()).toEqual([]);
  for (let round = 0; round < 2; round += 1) {
    await mailSpendingAlerts(database.dataSource, new Date('2031-05-01T03:00:00Z'));
  }
  const [mail, ...others] = await mails();
  expect(others).toEqual([]);
  expect(mail).toMatchObject({
    recipient: 'spender@example.com',
    data: { percent: 100, spent: 'EUR 30.00', limit: 'EUR 24.00', month: '2031-05', isHard: true },
  });
  const context = { siteUrl: 'https://shop.example', open: () => '' };
  const letter = templates['spending-alert'](mail?.data as never, context);
  expect(letter.text).toContain('https://shop.example/billing');
  expect(letter.text).toContain('New orders are refused');
});
