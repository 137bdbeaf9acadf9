-- Approves the step that the rollout is in, for the very release that is shown.
if obj.metadata.annotations == nil then
  obj.metadata.annotations = {}
end
obj.metadata.annotations["ragoperator.dev/request"] = "approve/" .. obj.status.canaryRevision .. "/" .. obj.status.step.name
return obj
