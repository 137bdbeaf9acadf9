-- Ends a pause that somebody asked for; spec.rollout.paused only spec lifts.
if obj.metadata.annotations == nil then
  obj.metadata.annotations = {}
end
obj.metadata.annotations["ragoperator.dev/request"] = "resume/" .. obj.status.canaryRevision
return obj
