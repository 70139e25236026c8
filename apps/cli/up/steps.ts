import { apiStep } from './api.step.ts';
import { demoCustomerStep } from './demo-customer.step.ts';
import { demoOperatorStep } from './demo-operator.step.ts';
import { envFileStep } from './env-file.step.ts';
import { hostsStep } from './hosts.step.ts';
import { imagesStep } from './images.step.ts';
import { labStep } from './lab.step.ts';
import { mailStep } from './mail.step.ts';
import { migrateStep } from './migrate.step.ts';
import { orderStep } from './order.step.ts';
import { postgresStep } from './postgres.step.ts';
import { publishImagesStep } from './publish-images.step.ts';
import { redisStep } from './redis.step.ts';
import type { Step } from './step.ts';
import { stripeStep } from './stripe.step.ts';
import { workerStep } from './worker.step.ts';

/** What `up` does, in this order. Each step stands on those before it. */
export const stackSteps: readonly Step[] = [
  postgresStep,
  redisStep,
  migrateStep,
  stripeStep,
  mailStep,
  labStep,
  hostsStep,
  imagesStep,
  publishImagesStep,
  apiStep,
  workerStep,
  demoOperatorStep,
  demoCustomerStep,
  envFileStep,
];

/** What follows unless `--no-order` is given. */
export const orderSteps: readonly Step[] = [orderStep];

/** The programs that `up` starts, in the order in which `down` stops them. */
export const daemons = ['api', 'worker', 'stripe', 'mail', 'redis', 'postgres'] as const;
