export { Rehearsal, type RehearsalState } from './rehearsal.entity.ts';
export {
  type ApplyOptions,
  type RehearsalRequest,
  RehearsalRequests,
  type RequestedRehearsal,
} from './rehearsal-requests.ts';
export { type CheckResult, RehearsalRun, type RunStage, type RunState } from './rehearsal-run.entity.ts';
export { applyRehearsalRequest, rehearsalSubjectOf, rehearseServerRequest } from './rehearsal-sagas.ts';
export { RehearsalRequestsModule, RehearsalsModule, rehearsalsEntities } from './rehearsals.module.ts';
export {
  APPLICABLE_DAYS,
  type OutputSlice,
  RehearsalsService,
  type RehearsalWithRuns,
} from './rehearsals.service.ts';
export { releaseClone } from './release-clone.ts';
export { keepOutput } from './run-output.ts';
export { ScriptVault, sealedScripts } from './script-vault.ts';
export { changesBetween, type Difference, type SurveyChanges } from './survey-changes.ts';
