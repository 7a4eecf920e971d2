export { explainPort, type History, type HistoryInput } from './explain';
export { openReleases } from './releases';
export { crossCheck, type Step } from './stepwise';
export { workItemsOf } from './work-items';
