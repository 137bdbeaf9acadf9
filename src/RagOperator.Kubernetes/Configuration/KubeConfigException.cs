namespace RagOperator.Kubernetes;

/// <summary>The configuration of the client is wrong. The message names the file, the field and, unless it is secret, the value.</summary>
/// <param name="message">What is wrong, and what would be right.</param>
/// <param name="inner">The cause, if there is one.</param>
public sealed class KubeConfigException(string message, Exception? inner = null) : Exception(message, inner);
