import { AccountsService } from '#libs/accounts';
import { withInstallation } from '../installation.ts';
import type { Step } from './step.ts';

/** The operator who may see hosts, sagas and findings in the storefront. */
export const demoOperatorStep: Step = {
  title: 'Operator',
  async run(up) {
    const { operator } = up.state.demo;
    await withInstallation(async ({ dataSource, audit }) => {
      const accounts = new AccountsService(dataSource);
      // Hashing a password takes its time by design: only when there is a need.
      const isThere = await accounts.authenticate(operator.email, operator.password).then(
        () => true,
        () => false,
      );
      if (isThere) return;
      const { id } = await accounts.createOperator({ ...operator, name: 'Operator' });
      await audit('account.make_operator', id);
    }, up.environment());
    return operator.email;
  },
};
