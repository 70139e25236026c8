import { type BoundSaga, type SagaStep, withDeps } from '#libs/saga';
import { applyRehearsal } from './apply-rehearsal.saga.ts';
import { attachIso } from './attach-iso.saga.ts';
import { attachVolume } from './attach-volume.saga.ts';
import { changeType } from './change-type.saga.ts';
import { cloneServer } from './clone-server.saga.ts';
import { collectInvoice } from './collect-invoice.saga.ts';
import type { CollectingDeps } from './collecting-deps.ts';
import { cookRecipe } from './cook-recipe.saga.ts';
import { createImage } from './create-image.saga.ts';
import { createVolume } from './create-volume.saga.ts';
import { deleteServer } from './delete-server.saga.ts';
import { deleteVolume } from './delete-volume.saga.ts';
import { detachIso } from './detach-iso.saga.ts';
import { detachVolume } from './detach-volume.saga.ts';
import { disableRescue } from './disable-rescue.saga.ts';
import { enableRescue } from './enable-rescue.saga.ts';
import { exportDisk } from './export-disk.saga.ts';
import { freezeDisk } from './freeze-disk.saga.ts';
import { importImage } from './import-image.saga.ts';
import { mergeLayers } from './merge-layers.saga.ts';
import { openNetwork } from './open-network.saga.ts';
import { powerOffServer } from './power-off-server.saga.ts';
import { powerOnServer } from './power-on-server.saga.ts';
import { provisionServer } from './provision-server.saga.ts';
import { rebootServer } from './reboot-server.saga.ts';
import { rebuildServer } from './rebuild-server.saga.ts';
import { rechargeCredit } from './recharge-credit.saga.ts';
import { rehearseServer } from './rehearse-server.saga.ts';
import { resetPassword } from './reset-password.saga.ts';
import { resetServer } from './reset-server.saga.ts';
import { resizeVolume } from './resize-volume.saga.ts';
import { resumeServer } from './resume-server.saga.ts';
import { retireServer } from './retire-server.saga.ts';
import { rollBackServer } from './roll-back-server.saga.ts';
import { sendRefund } from './send-refund.saga.ts';
import { shutdownServer } from './shutdown-server.saga.ts';
import { suspendServer } from './suspend-server.saga.ts';
import { switchSystem } from './switch-system.saga.ts';
import { verifyBackup } from './verify-backup.saga.ts';
import type { WorkflowDeps } from './workflow-deps.ts';

export { publishAccess } from './access.ts';
export { type ActionStep, stepsOf } from './action-steps.ts';
export {
  collectDue,
  collectIssued,
  retryOpenInvoices,
  startCollecting,
  uncollected,
} from './collect-invoices.ts';
export type { CollectingDeps, MirrorDeps } from './collecting-deps.ts';
export { compareWithProvider } from './compare-provider.ts';
export type { ImportDeps } from './import-context.ts';
export { lookAtUnpaid } from './look-at-unpaid.ts';
export { moneyListener } from './order-payments.listener.ts';
export { orderPayments } from './order-payments.module.ts';
export { rechargeDue } from './recharges.ts';
export { refundInvoice } from './refunds.ts';
export { sweepBalance } from './sweep-balance.ts';
export type { RecipeDeps, WorkflowDeps } from './workflow-deps.ts';

/** Every workflow there is. */
const all = [
  provisionServer,
  deleteServer,
  powerOnServer,
  powerOffServer,
  shutdownServer,
  rebootServer,
  resetServer,
  resetPassword,
  disableRescue,
  suspendServer,
  resumeServer,
  retireServer,
];

const ofVolumes = [createVolume, deleteVolume];

/** Every workflow with what its steps need: what the worker runs and the harness breaks. */
export function workflows(deps: WorkflowDeps): BoundSaga[] {
  return [
    ...all.map((definition) => withDeps(definition, deps)),
    withDeps(rebuildServer, deps),
    withDeps(changeType, deps),
    withDeps(createImage, deps),
    withDeps(cloneServer, deps),
    withDeps(openNetwork, deps),
    withDeps(importImage, deps),
    withDeps(cookRecipe, deps),
    withDeps(freezeDisk, deps),
    withDeps(exportDisk, deps),
    withDeps(rollBackServer, deps),
    withDeps(rehearseServer, deps),
    withDeps(applyRehearsal, deps),
    withDeps(verifyBackup, deps),
    withDeps(mergeLayers, deps),
    withDeps(enableRescue, deps),
    withDeps(attachIso, deps),
    withDeps(detachIso, deps),
    withDeps(switchSystem, deps),
    ...ofVolumes.map((definition) => withDeps(definition, deps)),
    withDeps(attachVolume, deps),
    withDeps(detachVolume, deps),
    withDeps(resizeVolume, deps),
    ...moneyWorkflows(deps.collecting),
  ];
}

/** Those that touch no server: what is issued, paid in and given back. */
export function moneyWorkflows(deps: CollectingDeps): BoundSaga[] {
  return [withDeps(collectInvoice, deps), withDeps(rechargeCredit, deps), withDeps(sendRefund, deps)];
}

/** The steps of a workflow by the name of its saga, for those who show its progress. */
export function workflowSteps(name: string): readonly SagaStep[] {
  return (
    [
      ...all,
      rebuildServer,
      changeType,
      createImage,
      cloneServer,
      openNetwork,
      rollBackServer,
      rehearseServer,
      applyRehearsal,
      verifyBackup,
      mergeLayers,
      enableRescue,
      attachIso,
      detachIso,
      switchSystem,
      ...ofVolumes,
      attachVolume,
      detachVolume,
      resizeVolume,
      freezeDisk,
      exportDisk,
      importImage,
      cookRecipe,
      collectInvoice,
      rechargeCredit,
      sendRefund,
    ].find((definition) => definition.name === name)?.steps ?? []
  );
}
