export { AccountSuspensions } from './account-suspensions.service.ts';
export { advanceDunning, type DunningDeps, type DunningReport } from './advance-dunning.ts';
export { DunningModule } from './dunning.module.ts';
export { liftForOperator, type OperatorReason, suspendForOperator } from './operator-suspensions.ts';
