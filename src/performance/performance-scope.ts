import { registerEnumType } from 'type-graphql';

/** Which processes figures are of. */
export enum PerformanceScope {
  PROCESS = 'PROCESS',
  DEPLOYMENT = 'DEPLOYMENT',
}

registerEnumType(PerformanceScope, {
  name: 'PerformanceScope',
  description: 'Which processes the figures of performance are of.',
  valuesConfig: {
    PROCESS: { description: 'Only the answering process.' },
    DEPLOYMENT: {
      description: 'All processes of the deployment that live: those that wrote their figures within the last minute.',
    },
  },
});
